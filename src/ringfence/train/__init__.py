"""Weights learned from labelled data: additive models in bits, honestly measured."""
