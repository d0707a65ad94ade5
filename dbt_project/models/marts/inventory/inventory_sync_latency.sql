with publications as (
    select * from {{ ref('fct_availability_publications') }}
),

measured as (
    select
        channel,
        trading_date,
        publication_id,
        publication_seconds,
        acknowledgement_seconds,
        publication_seconds + acknowledgement_seconds as total_seconds
    from publications
),

{% set lengths = ['publication', 'acknowledgement', 'total'] %}
final as (
    select
        channel,
        trading_date,
        count(distinct publication_id) as message_count,
        count(*) as published_line_count,
        count(acknowledgement_seconds) as acknowledged_line_count,
        {{ rounded_quotient('count(acknowledgement_seconds)', 'count(*)') }}
            as acknowledged_share,
        {% for length in lengths %}
        {% for name, fraction in [('median', 0.5), ('p95', 0.95)] %}
        cast(
            {{ percentile(length ~ '_seconds', fraction) }} as decimal(18, 4)
        ) as {{ name }}_{{ length }}_seconds,
        {% endfor %}
        {% endfor %}
        max(total_seconds) as longest_total_seconds
    from measured
    group by channel, trading_date
)

select * from final
