"""Creates the table BIFOLD_TABLE with the schema that bifold needs, at AWS_ENDPOINT_URL_DYNAMODB."""

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
