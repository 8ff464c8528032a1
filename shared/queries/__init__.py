"""Read models: a user's state and the reasons of a decision, for every face that shows them."""
