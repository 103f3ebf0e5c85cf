"""One file a migration. One that was ever released is not changed any more."""
