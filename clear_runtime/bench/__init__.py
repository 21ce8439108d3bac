"""Every number that a README or a card prints, one command each."""
