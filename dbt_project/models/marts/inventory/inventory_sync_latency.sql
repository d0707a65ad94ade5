with publications as (
    select * from {{ ref('fct_availability_publications') }}
),

channels as (
    select * from {{ ref('dim_channel') }}
),

measured as (
    select
        publications.channel,
        channels.main_region as region,
        channels.main_brand as brand,
        publications.trading_date,
        {{ week_start('publications.trading_date') }} as week_start_date,
        publications.publication_id,
        publications.publication_seconds,
        publications.acknowledgement_seconds,
        publications.publication_seconds + publications.acknowledgement_seconds as total_seconds
    from publications
    left join channels on publications.channel = channels.channel
),

{% set lengths = ['publication', 'acknowledgement', 'total'] %}
final as (
    {% for period, first_day in [('day', 'trading_date'), ('week', 'week_start_date')] %}
    select
        channel,
        region,
        brand,
        '{{ period }}' as period,
        {{ first_day }} as period_start_date,
        count(distinct publication_id) as message_count,
        count(*) as published_line_count,
        count(acknowledgement_seconds) as acknowledged_line_count,
        {{ rounded_quotient('count(acknowledgement_seconds)', 'count(*)') }}
            as acknowledged_share,
        {% for length in lengths %}
        {% for name, fraction in [
            ('median', 0.5), ('p90', 0.9), ('p95', 0.95), ('p99', 0.99)
        ] %}
        cast(
            {{ percentile(length ~ '_seconds', fraction) }} as decimal(18, 4)
        ) as {{ name }}_{{ length }}_seconds,
        {% endfor %}
        cast(coalesce(sum({{ length }}_seconds), 0) as bigint) as summed_{{ length }}_seconds,
        {% endfor %}
        max(total_seconds) as longest_total_seconds
    from measured
    group by channel, region, brand, {{ first_day }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
)

select * from final
