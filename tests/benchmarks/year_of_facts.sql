-- A retailer's year as facts alone, at the size of the real one, made by arithmetic: no chance in it.
-- Placeholders: orders, lines (per order). Every order is shipped by one node two days later.
insert into node (node_id, kind, zone, country_code, is_active, occurred_at, effective_at)
values ('dc', 'warehouse', 'Europe/London', 'GB', true, '2010-12-01 00:00+00', '2010-12-01 00:00+00')
on conflict do nothing;

insert into product (sku, description, standard_cost, currency_code, tax_rate_basis_points,
                     is_synthetic, occurred_at, effective_at)
select 'SKU' || lpad(i::text, 5, '0'), 'item ' || i, 1.5, 'GBP', 2000, true,
       '2010-12-01 00:00+00', '2010-12-01 00:00+00'
from generate_series(0, 3999) as i
on conflict do nothing;

insert into customer (customer_id, country_code, occurred_at, effective_at)
select md5('customer' || i)::uuid, 'GB', '2010-12-01 00:00+00', '2010-12-01 00:00+00'
from generate_series(0, 4371) as i;

create temporary table made_order on commit drop as
select i,
       md5('order' || i)::uuid as order_id,
       timestamptz '2010-12-01 08:00+00' + i * (interval '373 days' / :orders) as occurred_at,
       (array['web_shop', 'marketplace', 'store', 'b2b'])[1 + i % 4] as channel
from generate_series(0, :orders - 1) as i;

create temporary table made_line on commit drop as
select o.i, o.order_id, o.occurred_at, o.channel, n as line_number,
       'SKU' || lpad(((o.i * 31 + n * 97) % 4000)::text, 5, '0') as sku,
       1 + (o.i + n) % 12 as ordered,
       case when (o.i * 7 + n) % 20 = 0 then 0 else 1 + (o.i + n) % 12 end as reserved,
       (0.85 + ((o.i + 3 * n) % 40) * 0.1)::numeric(19, 4) as price
from made_order o cross join generate_series(1, :lines) as n;

insert into order_line (order_id, line_number, sku, ordered_quantity, reserved_quantity,
                        unfilled_quantity, unfilled_reason_code, unit_price, line_amount,
                        tax_amount, effective_at)
select order_id, line_number, sku, ordered, reserved, ordered - reserved,
       case when reserved < ordered then 'out_of_stock' end, price, price * ordered,
       round(price * ordered / 6, 4), date_trunc('hour', occurred_at) + interval '1 hour'
from made_line;

insert into order_charge (order_id, charge_number, charge_code, charge_amount, effective_at)
select order_id, 1, 'postage', 6, date_trunc('hour', occurred_at) + interval '1 hour' from made_order;

insert into order_placed (order_id, order_number, source, legal_entity, brand, region, channel,
    correlation_id, customer_id, country_code, service_level, currency_code, line_count,
    ordered_quantity, goods_amount, charge_amount, total_amount, trading_date, promised_date,
    occurred_at, effective_at)
select o.order_id, 'N' || o.i, o.channel, 'gb', 'main', 'uk', o.channel, 'N' || o.i,
       md5('customer' || o.i % 4372)::uuid, 'GB', 'standard', 'GBP', :lines, sum(l.ordered),
       sum(l.price * l.ordered), 6, sum(l.price * l.ordered) + 6,
       (o.occurred_at at time zone 'Europe/London')::date,
       (o.occurred_at at time zone 'Europe/London')::date + 3,
       o.occurred_at, date_trunc('hour', o.occurred_at) + interval '1 hour'
from made_order o join made_line l using (order_id)
group by o.order_id, o.i, o.channel, o.occurred_at;

insert into stock_movement (node_id, sku, kind, quantity, reason_code, reference_id,
                            reference_line, occurred_at, effective_at)
select 'dc', sku, 'counted', 10000, 'opening', md5('count' || sku)::uuid, 1,
       '2010-12-01 00:00+00', '2010-12-01 00:00+00'
from product;

insert into stock_movement (node_id, sku, kind, quantity, reason_code, reference_id,
                            reference_line, occurred_at, effective_at)
select 'dc', 'SKU' || lpad(((week * 613 + i * 7) % 4000)::text, 5, '0'), 'received', 50, 'purchase',
       md5('receipt' || week)::uuid, i, timestamptz '2010-12-06 06:00+00' + week * interval '7 days',
       timestamptz '2010-12-06 06:00+00' + week * interval '7 days'
from generate_series(0, 51) as week cross join generate_series(1, 700) as i;

insert into reservation_movement (order_id, line_number, node_id, sku, kind, quantity, is_start,
                                  expires_at, effective_at)
select order_id, line_number, 'dc', sku, 'reserved', reserved, true,
       date_trunc('hour', occurred_at) + interval '75 minutes',
       date_trunc('hour', occurred_at) + interval '1 hour'
from made_line where reserved > 0;

insert into reservation_movement (order_id, line_number, node_id, sku, kind, quantity, is_start,
                                  effective_at)
select order_id, line_number, 'dc', sku, 'consumed', -reserved, false,
       date_trunc('hour', occurred_at) + interval '1 hour'
from made_line where reserved > 0;

insert into stock_movement (node_id, sku, kind, quantity, reason_code, reference_id,
                            reference_line, order_id, occurred_at, effective_at)
select 'dc', sku, 'shipped', -reserved, 'sold', md5('shipment' || i)::uuid, line_number, order_id,
       occurred_at + interval '30 hours', occurred_at + interval '31 hours'
from made_line where reserved > 0;

create temporary table made_total on commit drop as
select i, order_id, occurred_at, sum(reserved) as units, sum(price * reserved) as goods,
       round(sum(price * reserved) / 6, 4) as tax
from made_line group by i, order_id, occurred_at;

insert into shipment_dispatched (shipment_id, shipment_number, order_id, fulfilment_order_id,
                                 node_id, carrier, shipped_quantity, occurred_at, effective_at)
select md5('shipment' || i)::uuid, 'S' || i, order_id, md5('fulfilment' || i)::uuid, 'dc', 'parcel',
       units, occurred_at + interval '30 hours', occurred_at + interval '31 hours'
from made_total where units > 0;

insert into shipment_delivered (shipment_id, shipment_number, order_id, occurred_at, effective_at)
select md5('shipment' || i)::uuid, 'S' || i, order_id,
       occurred_at + interval '50 hours' + (i % 5) * interval '8 hours',
       occurred_at + interval '51 hours' + (i % 5) * interval '8 hours'
from made_total where units > 0 and i < :orders - 200;

insert into payment_movement (payment_movement_id, order_id, payment_reference, kind, amount,
                              currency_code, occurred_at, effective_at)
select md5(kind || i)::uuid, order_id, 'P' || i, kind, goods + 6, 'GBP', occurred_at + delay,
       occurred_at + delay
from made_total cross join (values ('authorised', interval '1 minute'),
                                   ('captured', interval '31 hours')) as happening (kind, delay)
where units > 0;

insert into journal_line (entry_id, line_number, entry_kind, business_key, account_code, amount,
                          currency_code, legal_entity, occurred_at, effective_at)
select md5(kind || 'entry' || i)::uuid, line, kind, business_key, account, amount, 'GBP', 'gb',
       occurred_at + delay, occurred_at + delay
from made_total cross join lateral (values
    ('authorisation', 1, order_id::text, '9000', goods + 6, interval '1 minute'),
    ('authorisation', 2, order_id::text, '9001', -goods - 6, interval '1 minute'),
    ('capture', 1, md5('captured' || i)::uuid::text, '1200', goods + 6, interval '31 hours'),
    ('capture', 2, md5('captured' || i)::uuid::text, '2100', -goods - 6, interval '31 hours'),
    ('capture', 3, md5('captured' || i)::uuid::text, '9001', goods + 6, interval '31 hours'),
    ('capture', 4, md5('captured' || i)::uuid::text, '9000', -goods - 6, interval '31 hours'),
    ('revenue', 1, md5('shipment' || i)::uuid::text, '2100', goods + 6, interval '30 hours'),
    ('revenue', 2, md5('shipment' || i)::uuid::text, '4000', tax - goods, interval '30 hours'),
    ('revenue', 3, md5('shipment' || i)::uuid::text, '4100', -5.0, interval '30 hours'),
    ('revenue', 4, md5('shipment' || i)::uuid::text, '2200', -tax - 1.0, interval '30 hours'),
    ('cost_of_goods', 1, md5('shipment' || i)::uuid::text, '5000', units * 1.5, interval '30 hours'),
    ('cost_of_goods', 2, md5('shipment' || i)::uuid::text, '1400', -units * 1.5, interval '30 hours')
) as entry (kind, line, business_key, account, amount, delay)
where units > 0;

insert into process_event (process_event_id, activity, order_id, objects, occurred_at, effective_at)
select md5(activity || i)::uuid, activity, order_id,
       jsonb_build_array(jsonb_build_object('type', 'order', 'id', order_id, 'qualifier', activity)),
       occurred_at + delay, occurred_at + delay
from made_total cross join (values
    ('order placed', interval '0'), ('stock reserved', interval '1 minute'),
    ('payment authorised', interval '1 minute'), ('stock allocated', interval '2 minutes'),
    ('goods dispatched', interval '30 hours'), ('payment captured', interval '31 hours'),
    ('order delivered', interval '50 hours')
) as happening (activity, delay);

insert into decision_batch (decision_batch_id, kind, policy_hash, mode, inputs, outcome_hash,
                            effective_at)
select md5('batch' || b)::uuid, 'sourcing', 'hash', 'normal', ''::bytea, ''::bytea,
       timestamptz '2010-12-01 08:00+00' + b * interval '1 day'
from generate_series(0, :orders / 50) as b;

insert into decision_record (decision_id, decision_batch_id, kind, business_key, outcome,
                             reason_codes, effective_at)
select md5('decision' || i)::uuid, md5('batch' || i / 50)::uuid, 'sourcing', order_id::text,
       'partly_filled', array['out_of_stock'], occurred_at
from made_order;
