with orders as (
    select * from {{ ref('stg_order_placed') }}
),

bounds as (
    select
        min(trading_date) as first_date,
        greatest(max(trading_date), max(promised_date)) as last_date
    from orders
),

days as (
    select
        cast({{ days_between('bounds.first_date', 'bounds.last_date') }} as date)
            as calendar_date
    from bounds
),

final as (
    select
        calendar_date,
        cast(extract(isoyear from calendar_date) as integer) as iso_year_number,
        cast(extract(week from calendar_date) as integer) as iso_week_number,
        cast(extract(isodow from calendar_date) as integer) as iso_weekday_number,
        cast(date_trunc('month', calendar_date) as date) as month_start_date,
        cast(date_trunc('quarter', calendar_date) as date) as quarter_start_date,
        extract(isodow from calendar_date) >= 6 as is_weekend
    from days
)

select * from final
