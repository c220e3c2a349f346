"""Finance: what is booked, the months, their reports, and closing them."""
