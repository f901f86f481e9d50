"""What a runner looks at: the picture that goes with an alert, and the page. Pure over values; opens no database."""
