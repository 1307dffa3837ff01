-- How this exchange's trade ids behave, as its plugin says. Run again when the plugin says something else.
INSERT INTO {{database}}.trade_ids VALUES ('{{exchange}}', '{{trade_ids}}', now64(6, 'UTC'))
