"""Changes of plan: what is offered instead, previewed, asked for, carried out."""
