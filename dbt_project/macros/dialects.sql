{#- What engines say differently, each once. -#}

{#- A percentile of numbers, interpolated between neighbours. -#}
{% macro percentile(expression, fraction) -%}
    {{ return(adapter.dispatch('percentile', 'omniflow')(expression, fraction)) }}
{%- endmacro %}

{% macro default__percentile(expression, fraction) -%}
    percentile_cont({{ fraction }}) within group (order by {{ expression }})
{%- endmacro %}

{% macro duckdb__percentile(expression, fraction) -%}
    quantile_cont({{ expression }}, {{ fraction }})
{%- endmacro %}

{#- A text field of the n-th object (from 0) of a JSON array. -#}
{% macro json_array_field(document, position, field) -%}
    {{ return(adapter.dispatch('json_array_field', 'omniflow')(document, position, field)) }}
{%- endmacro %}

{% macro default__json_array_field(document, position, field) -%}
    (cast({{ document }} as json) -> {{ position }} ->> '{{ field }}')
{%- endmacro %}

{% macro duckdb__json_array_field(document, position, field) -%}
    json_extract_string({{ document }}, '$[{{ position }}].{{ field }}')
{%- endmacro %}

{#- How many elements a JSON array has. -#}
{% macro json_array_size(document) -%}
    {{ return(adapter.dispatch('json_array_size', 'omniflow')(document)) }}
{%- endmacro %}

{% macro default__json_array_size(document) -%}
    json_array_length(cast({{ document }} as json))
{%- endmacro %}

{#- A column that PostgreSQL holds as a text array and the lake as its JSON text. -#}
{% macro array_as_json_text(column) -%}
    {{ return(adapter.dispatch('array_as_json_text', 'omniflow')(column)) }}
{%- endmacro %}

{% macro default__array_as_json_text(column) -%}
    cast(array_to_json({{ column }}) as text)
{%- endmacro %}

{% macro duckdb__array_as_json_text(column) -%}
    cast({{ column }} as text)
{%- endmacro %}

{#- Distinct texts in their own order, with a comma between them. -#}
{% macro ordered_list(expression) -%}
    {{ return(adapter.dispatch('ordered_list', 'omniflow')(expression)) }}
{%- endmacro %}

{% macro default__ordered_list(expression) -%}
    string_agg(distinct {{ expression }}, ',' order by {{ expression }})
{%- endmacro %}

{#- Seconds between two instants, as a whole number so that every engine counts the same. -#}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between', 'omniflow')(earlier, later)) }}
{%- endmacro %}

{% macro default__seconds_between(earlier, later) -%}
    cast(floor(extract(epoch from {{ later }}) - extract(epoch from {{ earlier }})) as bigint)
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    ((epoch_us({{ later }}) - epoch_us({{ earlier }})) // 1000000)
{%- endmacro %}

{#- One row per day, both ends included. -#}
{% macro days_between(first_day, last_day) -%}
    {{ return(adapter.dispatch('days_between', 'omniflow')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__days_between(first_day, last_day) -%}
    generate_series({{ first_day }}, {{ last_day }}, interval '1 day')
{%- endmacro %}

{% macro duckdb__days_between(first_day, last_day) -%}
    unnest(generate_series({{ first_day }}, {{ last_day }}, interval '1 day'))
{%- endmacro %}

{#- The local calendar day of an instant. -#}
{% macro local_date(instant, zone) -%}
    cast({{ instant }} at time zone {{ zone }} as date)
{%- endmacro %}

{#- The Monday of a day's ISO week. -#}
{% macro week_start(day) -%}
    cast(date_trunc('week', {{ day }}) as date)
{%- endmacro %}

{#- The first day of a day's month. -#}
{% macro month_start(day) -%}
    cast(date_trunc('month', {{ day }}) as date)
{%- endmacro %}

{#- A quotient rounded half up to four decimals, without passing through binary fractions. -#}
{% macro rounded_quotient(numerator, denominator) -%}
    {{ return(adapter.dispatch('rounded_quotient', 'omniflow')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__rounded_quotient(numerator, denominator) -%}
    cast(round(cast({{ numerator }} as decimal(38, 4)) / {{ denominator }}, 4) as decimal(18, 4))
{%- endmacro %}

{% macro duckdb__rounded_quotient(numerator, denominator) -%}
    cast(
        sign({{ numerator }}) * cast(
            (cast(abs({{ numerator }}) * 20000 as hugeint) + {{ denominator }})
            // (2 * cast({{ denominator }} as hugeint)) as decimal(18, 0)
        ) * 0.0001 as decimal(18, 4)
    )
{%- endmacro %}
