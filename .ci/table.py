"""Makes the table that BIFOLD_TABLE names, as bifold wants it, where AWS_ENDPOINT_URL_DYNAMODB says."""

import os

import boto3

name = os.environ["BIFOLD_TABLE"]
client = boto3.client("dynamodb")
client.create_table(
    TableName=name,
    BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
)
client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
