"""What accountants take away: journals, balances, the register of invoices, tax by period."""
