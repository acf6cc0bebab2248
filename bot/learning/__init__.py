"""What nobody could answer: gathered, taught by staff in one step, told to those who asked."""
