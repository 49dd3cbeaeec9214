"""What a program costs, and how it is measured."""
