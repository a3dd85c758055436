"""What is owed: periods, invoices, their rendering and delivery."""
