alter table purchase_order_placed
add column invoice_currency_code VARCHAR(3),
add column exchange_rate NUMERIC(18, 8),
add column value_limit NUMERIC(19, 4),
add column ends_at TIMESTAMP WITH TIME ZONE;

alter table purchase_order_line
add column invoice_currency_code VARCHAR(3),
add column exchange_rate NUMERIC(18, 8),
add column value_limit NUMERIC(19, 4),
add column ends_at TIMESTAMP WITH TIME ZONE;

alter table supplier_invoice_received
add column exchange_rate NUMERIC(18, 8);

alter table supplier_invoice_line
add column exchange_rate NUMERIC(18, 8) DEFAULT '1' NOT NULL;

alter table supplier_invoice_line
add column order_amount NUMERIC(19, 4) GENERATED ALWAYS AS
    (round(quantity * unit_price * exchange_rate, 4)) STORED NOT NULL;

alter table invoice_match
add column currency_code VARCHAR(3);

alter table transfer_proposal
add column transfer_number UUID;

alter table purchase_order_terms
add column is_price_estimated BOOLEAN DEFAULT false NOT NULL;

alter table purchase_order_line
add column is_price_estimated BOOLEAN DEFAULT false NOT NULL;

alter table supplier_invoice_line
add column is_price_estimated BOOLEAN DEFAULT false NOT NULL,
add column is_before_receipt BOOLEAN DEFAULT false NOT NULL;
