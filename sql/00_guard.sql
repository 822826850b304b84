\echo Use "CREATE EXTENSION sales_perf" to load this file. \quit
