"""Purchase orders, receipts and rejections of the AdventureWorks sample company.

Tab-separated files without a header, told apart by their names; column order as in the sample's own
table definitions (microsoft/sql-server-samples, MIT).
"""
