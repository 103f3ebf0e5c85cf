"""What a text says, piece by piece, each with its place: sums, accounts, deadlines, and the words that tell a crime."""
