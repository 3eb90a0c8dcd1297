"""Checks what no linter knows about the templates: the resources of a stack, for the parameters that a user may choose."""

import graphlib
import os
import pathlib
import sys
import tomllib

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

TEMPLATE = pathlib.Path("template.yaml").read_text()
PARAMETERS = yaml_parse(TEMPLATE)["Parameters"]
ABSENT = object()
PSEUDO = {"AWS::NoValue": ABSENT, "AWS::StackName": "bifold-test"}
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keys-AbCdEf"
EVERYTHING = {
    "Table": "true",
    "WebSocket": "true",
    "AlarmEmail": "a@example.com",
    "AllowedOrigins": "https://a.example",
    "MetricsNamespace": "bifold",
    "ReservedConcurrency": "5",
    "AuthIssuer": "https://issuer.example",
    "AuthAudience": "notes",
    "AuthClientIds": "cli",
    "ApiKeys": "unused",
    "ApiKeysSecret": SECRET,
    "PublicUrl": "https://notes.example",
    "RateLimit": "100/m",
}
TABLE_ACTIONS = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]
ALWAYS = {"BIFOLD_CALL_TIMEOUT_MS", "BIFOLD_INVOKE_MODE", "BIFOLD_LOG", "BIFOLD_STATE_KEYS"}
ALARMS = {"Errors", "Throttles", "Duration", "Url5xxCount"}


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")


class Stack:
    """The stack that CloudFormation would create: transformed, conditions evaluated, parameters inserted, references in <>."""

    def __init__(self, template=TEMPLATE, **chosen):
        whole = yaml_parse(template)
        defaults = {name: str(it["Default"]) for name, it in whole["Parameters"].items() if "Default" in it}
        parameters = defaults | chosen
        if "Transform" in whole:
            # The transform needs the URL of an upload, which `sam deploy` inserts here.
            whole["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"
            whole = Translator({}, Parser()).translate(whole, parameters)
        self.values = PSEUDO | parameters
        self.conditions, self.mappings = whole.get("Conditions", {}), whole.get("Mappings", {})
        self.resources = {name: self.resolve(it) for name, it in whole["Resources"].items() if self.stands(it)}
        self.outputs = {name for name, it in whole["Outputs"].items() if self.stands(it)}

    def stands(self, it):
        return "Condition" not in it or self.resolve(self.conditions[it["Condition"]])

    def resolve(self, value):
        if isinstance(value, list):
            return [it for it in map(self.resolve, value) if it is not ABSENT]
        if not isinstance(value, dict):
            return value
        match list(value.items()):
            case [("Ref", name)]:
                return self.values.get(name, f"<{name}>")
            case [("Fn::GetAtt", path)]:
                return f"<{'.'.join(path)}>"
            case [("Fn::Sub", text)]:
                for name, it in self.values.items():
                    text = text.replace(f"${{{name}}}", str(it))
                return text.replace("${", "<").replace("}", ">")
            case [("Fn::If", [condition, yes, no])]:
                return self.resolve(yes if self.resolve(self.conditions[condition]) else no)
            case [("Condition", name)]:
                return self.resolve(self.conditions[name])
            case [("Fn::Equals", [left, right])]:
                return str(self.resolve(left)) == str(self.resolve(right))
            case [("Fn::Not", [inner])]:
                return not self.resolve(inner)
            case [("Fn::And", inner)]:
                return all(self.resolve(inner))
            case [("Fn::Or", inner)]:
                return any(self.resolve(inner))
            case [("Fn::FindInMap", path)]:
                first, second, third = self.resolve(path)
                return self.mappings[first][second][third]
        resolved = {key: self.resolve(inner) for key, inner in value.items()}
        return {key: it for key, it in resolved.items() if it is not ABSENT}

    def of(self, kind):
        return [it["Properties"] for it in self.resources.values() if it["Type"] == kind]

    def one(self, kind):
        found = self.of(kind)
        same(f"how many {kind}", len(found), 1)
        return found[0]


def check_order(stack):
    """Circular references, which no linter finds, would fail only at the deployment."""
    needs = {}
    for name, it in stack.resources.items():
        text = str(it)
        needs[name] = {other for other in stack.resources if f"<{other}>" in text or f"<{other}." in text}
        needs[name].update(it.get("DependsOn", []))
    graphlib.TopologicalSorter(needs).prepare()


def check_access(stack, is_public):
    url = {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
    function = {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True}
    for_all = {"FunctionName": "<Function>", "Principal": "*"}
    found = [it for it in stack.of("AWS::Lambda::Permission") if it["Principal"] == "*"]
    same("permissions for everybody", found, [for_all | url, for_all | function] if is_public else [])
    auth = "NONE" if is_public else "AWS_IAM"
    same("the URL's authorisation", stack.one("AWS::Lambda::Url")["AuthType"], auth)
    connect = [it for it in stack.of("AWS::ApiGatewayV2::Route") if it["RouteKey"] == "$connect"]
    same("the WebSocket's authorisation", [it["AuthorizationType"] for it in connect], [auth] * len(connect))


def check_role(stack, table, websocket, secret=False):
    role = stack.one("AWS::IAM::Role")
    same("managed policies", role.get("ManagedPolicyArns", []), [])
    found = {}
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            found[statement["Resource"]] = [actions] if isinstance(actions, str) else actions
    here = "<AWS::Partition>:{}:<AWS::Region>:<AWS::AccountId>:"
    expected = {
        "<LogGroup.Arn>": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "*": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    }
    if table:
        expected["<StateTable.Arn>"] = TABLE_ACTIONS
    if websocket:
        connections = f"arn:{here.format('execute-api')}<WebSocketApi>/ws/*/@connections/*"
        expected[connections] = ["execute-api:ManageConnections"]
    if secret:
        expected[SECRET] = ["secretsmanager:GetSecretValue"]
    if table or websocket:
        expected[f"arn:{here.format('lambda')}function:bifold-test"] = ["lambda:InvokeFunction"]
    same("what the function may do", found, expected)


def check_function(stack, mode, more=frozenset()):
    function = stack.one("AWS::Lambda::Function")
    variables = function["Environment"]["Variables"]
    same("the variables", set(variables), ALWAYS | more)
    same("variables without a value", [name for name, value in variables.items() if value == ""], [])
    same("the function's mode", variables["BIFOLD_INVOKE_MODE"], mode)
    same("the URL's mode", stack.one("AWS::Lambda::Url")["InvokeMode"], mode.upper())
    same("the function's name", function["FunctionName"], "bifold-test")
    same("tracing", function["TracingConfig"], {"Mode": "Active"})
    same("the log's format", function["LoggingConfig"]["LogFormat"], "JSON")
    continuation = stack.one("AWS::Lambda::EventInvokeConfig")
    same("tries of a continuation", continuation["MaximumRetryAttempts"], 0)
    # The claim in src/websocket/cancellation.rs lasts for 600.
    same("seconds that a continuation may wait", continuation["MaximumEventAgeInSeconds"], 60)
    same("the keys' name", stack.one("AWS::SecretsManager::Secret")["Name"], "bifold-test-StateKeys")


def check_time(stack, timeout):
    """A call ends before the threshold of the alarm, which is below the timeout."""
    function = stack.one("AWS::Lambda::Function")
    call = function["Environment"]["Variables"]["BIFOLD_CALL_TIMEOUT_MS"]
    alarm = [it["Threshold"] for it in stack.of("AWS::CloudWatch::Alarm") if it["MetricName"] == "Duration"]
    found = (int(function["Timeout"]), call, alarm)
    same("time of an invocation, a call, an alarm", found, (timeout, str(timeout * 800), [timeout * 900]))


def check_alarms(stack, more, actions):
    alarms = {it["MetricName"]: it for it in stack.of("AWS::CloudWatch::Alarm")}
    same("the alarms", set(alarms), ALARMS | more)
    for name, it in alarms.items():
        of_api = it["Namespace"] == "AWS/ApiGateway"
        whose = {"ApiId": "<WebSocketApi>", "Stage": "ws"} if of_api else {"FunctionName": "<Function>"}
        same(f"what {name} is of", {each["Name"]: each["Value"] for each in it["Dimensions"]}, whose)
        same(f"actions of the alarm {name}", it.get("AlarmActions", []), actions)


def check_samconfig():
    for stage, commands in tomllib.loads(pathlib.Path("samconfig.toml").read_text()).items():
        if stage == "version":
            continue
        overrides = dict(it.split("=") for it in commands["deploy"]["parameters"]["parameter_overrides"].split())
        same(f"parameters of {stage} that do not exist", set(overrides) - set(PARAMETERS), set())
        check_order(Stack(**overrides))


def check_deploy_role():
    """The permissions of a stage's role for resources that do not have the stage's name."""
    parsed = yaml_parse(pathlib.Path(".github/deploy-role.yaml").read_text())
    found = {}
    for statement in parsed["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
        resources = statement["Resource"]
        for it in resources if isinstance(resources, list) else [resources]:
            text = it if isinstance(it, str) else it["Fn::Sub"]
            if "bifold-${Stage}" not in text and not text.startswith("${Bucket.Arn}/"):
                found[text] = statement["Action"]
    here = "arn:${AWS::Partition}:%s:${AWS::Region}:"
    apis = (here % "apigateway") + ":/"
    expected = {
        (here % "cloudformation") + "aws:transform/Serverless-2016-10-31": "cloudformation:*",
        apis + "apis": "apigateway:*",
        apis + "apis/*": "apigateway:*",
        apis + "tags/*": "apigateway:*",
        "*": ["cloudwatch:DescribeAlarms", "logs:DescribeLogGroups", "secretsmanager:GetRandomPassword"],
    }
    same("what a stage may do to others", found, expected)


def check_http_api():
    """Everything needs a token but for what clients read before they have one."""
    template = pathlib.Path("templates/http-api.yaml").read_text()
    stack = Stack(template, Function="bifold-test", Issuer="https://issuer.example", Audience="notes")
    check_order(stack)
    routes = {it["RouteKey"]: it["AuthorizationType"] for it in stack.of("AWS::ApiGatewayV2::Route")}
    public = dict.fromkeys(["GET /.well-known/{path+}", "GET /health", "OPTIONS /{path+}"], "NONE")
    same("the routes of the HTTP API", routes, {"$default": "JWT"} | public)
    tokens = {"Issuer": "https://issuer.example", "Audience": "notes"}
    same("the tokens of the HTTP API", stack.one("AWS::ApiGatewayV2::Authorizer")["JwtConfiguration"], tokens)
    permission = stack.one("AWS::Lambda::Permission")
    same("who invokes the function", permission["Principal"], "apigateway.amazonaws.com")


def check_cloudfront():
    """The firewall and the cache are always there, and signed requests where CloudFront alone may reach the function."""
    template = pathlib.Path("templates/cloudfront.yaml").read_text()
    origin = "abc.lambda-url.us-east-1.on.aws"
    for zone, function in (("", ""), ("Z1", "bifold-test")):
        chosen = {"Domain": "notes.example", "Certificate": "arn", "HostedZone": zone}
        stack = Stack(template, FunctionUrl=origin, OriginAccessFunction=function, **chosen)
        check_order(stack)
        distribution = stack.one("AWS::CloudFront::Distribution")["DistributionConfig"]
        same("the firewall", distribution["WebACLId"], "<Firewall.Arn>")
        same("the names", distribution["Aliases"], ["notes.example"])
        same("the origin", [it["DomainName"] for it in distribution["Origins"]], [origin])
        signed = "<OriginAccess.Id>" if function else None
        same("signed requests", distribution["Origins"][0].get("OriginAccessControlId"), signed)
        actions = {it["Action"] for it in stack.of("AWS::Lambda::Permission")}
        expected = {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"} if function else set()
        same("what CloudFront may do", actions, expected)
        same("records", len(stack.of("AWS::Route53::RecordSetGroup")), 1 if zone else 0)
        policy = stack.one("AWS::CloudFront::CachePolicy")["CachePolicyConfig"]
        same("the time without Cache-Control", policy["DefaultTTL"], 0)
        headers = policy["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]["Headers"]
        same("credentials in the key of the cache", {"Authorization", "X-API-Key"} - set(headers), set())


plain = Stack()
check_order(plain)
check_access(plain, is_public=True)
check_role(plain, table=False, websocket=False)
check_function(plain, "response_stream")
check_alarms(plain, set(), [])
same("the cap", plain.one("AWS::Lambda::Function").get("ReservedConcurrentExecutions"), None)
same("tables", plain.of("AWS::DynamoDB::Table"), [])
same("WebSocket APIs", [name for name, it in plain.resources.items() if "ApiGateway" in it["Type"]], [])
same("the outputs", plain.outputs, {"Url", "McpUrl", "DocsUrl", "LogGroup", "StateKeys"})

whole = Stack(**EVERYTHING)
check_order(whole)
check_access(whole, is_public=True)
check_role(whole, table=True, websocket=True, secret=True)
chosen = {"BIFOLD_TABLE", "BIFOLD_WS_ENDPOINT", "BIFOLD_ALLOWED_ORIGINS", "BIFOLD_METRICS_NAMESPACE"}
chosen |= {"BIFOLD_AUTH_ISSUER", "BIFOLD_AUTH_AUDIENCE", "BIFOLD_AUTH_CLIENT_IDS", "BIFOLD_API_KEYS"}
chosen |= {"BIFOLD_PUBLIC_URL", "BIFOLD_RATE_LIMIT", "BIFOLD_RATE_LIMIT_SHARED"}
check_function(whole, "response_stream", chosen)
variables = whole.one("AWS::Lambda::Function")["Environment"]["Variables"]
same("where the keys are", variables["BIFOLD_API_KEYS"], SECRET)
check_alarms(whole, {"AsyncEventsDropped", "IntegrationError", "ExecutionError"}, ["<AlarmTopic>"])
throttle = {"ThrottlingBurstLimit": "50", "ThrottlingRateLimit": "50"}
same("what the WebSocket takes", whole.one("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"], throttle)
same("the table's key", whole.one("AWS::DynamoDB::Table")["KeySchema"], [{"AttributeName": "pk", "KeyType": "HASH"}])
routes = {it["RouteKey"] for it in whole.of("AWS::ApiGatewayV2::Route")}
same("the cap", whole.one("AWS::Lambda::Function")["ReservedConcurrentExecutions"], "5")
same("the routes", routes, {"$connect", "$disconnect", "$default"})
same("the outputs", whole.outputs, plain.outputs | {"Table", "WebSocketUrl"})

private = Stack(Auth="AWS_IAM", Streaming="false", WebSocket="true")
check_order(private)
check_access(private, is_public=False)
check_role(private, table=False, websocket=True)
check_function(private, "buffered", {"BIFOLD_WS_ENDPOINT"})

limited = Stack(RateLimit="100/m", ApiKeys="lines")
check_function(limited, "response_stream", {"BIFOLD_RATE_LIMIT", "BIFOLD_API_KEYS"})

for seconds in PARAMETERS["Timeout"]["AllowedValues"]:
    check_time(Stack(Timeout=str(seconds)), seconds)
check_alarms(Stack(Table="true"), {"AsyncEventsDropped"}, [])
check_deploy_role()
check_samconfig()
check_http_api()
check_cloudfront()
