import { assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { createAwsClient } from "./client.ts";
import * as cloudformation from "./cloudformation.ts";
import { type StubAnswer, type StubRequest, withStub } from "./stub_service_fixture.ts";
import { getCallerIdentity } from "./sts.ts";

const INPUT = {
  stackName: "llama",
  templateBody: '{"Resources": {}}',
  parameters: { Days: "30" },
  capabilities: ["CAPABILITY_IAM"],
  tags: { made: "by <llama>" },
};
const ARN = "arn:aws:cloudformation:eu-west-1:000000000000:stack/llama/1";

function form(request: StubRequest): URLSearchParams {
  return new URLSearchParams(new TextDecoder().decode(request.body));
}

function result(action: string, inner: string): StubAnswer {
  return {
    body: `<${action}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">` +
      `<${action}Result>${inner}</${action}Result>` +
      `<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`,
  };
}

function invalid(message: string): StubAnswer {
  return {
    status: 400,
    body: "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>" +
      `<Message>${message}</Message></Error></ErrorResponse>`,
  };
}

function stack(status: string): StubAnswer {
  return result(
    "DescribeStacks",
    `<Stacks><member><StackName>llama</StackName><StackId>${ARN}</StackId>` +
      `<StackStatus>${status}</StackStatus><Outputs><member><OutputKey>ObjectStore</OutputKey>` +
      "<OutputValue>s3://b/&amp;</OutputValue></member></Outputs></member></Stacks>",
  );
}

type Event = readonly [id: string, status: string, reason?: string];

function events(...listed: readonly Event[]): StubAnswer {
  return result(
    "DescribeStackEvents",
    "<StackEvents>" +
      listed.map(([id, status, reason]) =>
        `<member><EventId>${id}</EventId><LogicalResourceId>R${id}</LogicalResourceId>` +
        `<ResourceType>AWS::S3::Bucket</ResourceType><ResourceStatus>${status}</ResourceStatus>` +
        (reason === undefined ? "" : `<ResourceStatusReason>${reason}</ResourceStatusReason>`) +
        "</member>"
      ).join("") + "</StackEvents>",
  );
}

/** Answers each action from its own list, the last for ever. */
function byAction(
  answers: Readonly<Record<string, StubAnswer[]>>,
): (request: StubRequest) => StubAnswer {
  return (request) => {
    const list = answers[form(request).get("Action") ?? ""] ?? [];
    return (list.length > 1 ? list.shift() : list[0]) ?? { status: 400, body: "unexpected" };
  };
}

Deno.test("createStack() sends template, parameters, capabilities and tags", async () => {
  const handle = byAction({ CreateStack: [result("CreateStack", `<StackId>${ARN}</StackId>`)] });
  await withStub(handle, async ({ account, seen }) => {
    const operation = await cloudformation.createStack(createAwsClient(account), INPUT);
    assertEquals(operation, { stackId: ARN });
    assertEquals(seen[0]?.service, "cloudformation");
    assertEquals(seen.map(form).map((fields) => Object.fromEntries(fields)), [{
      Action: "CreateStack",
      Version: "2010-05-15",
      StackName: "llama",
      TemplateBody: INPUT.templateBody,
      "Parameters.member.1.ParameterKey": "Days",
      "Parameters.member.1.ParameterValue": "30",
      "Capabilities.member.1": "CAPABILITY_IAM",
      "Tags.member.1.Key": "made",
      "Tags.member.1.Value": "by <llama>",
    }]);
  });
});

Deno.test("updateStack() notes the last event, and is false where nothing changes", async () => {
  const handle = byAction({
    DescribeStackEvents: [events(["7", "CREATE_COMPLETE"], ["6", "CREATE_COMPLETE"])],
    UpdateStack: [
      result("UpdateStack", `<StackId>${ARN}</StackId>`),
      invalid("No updates are to be performed."),
      invalid("Template error"),
    ],
  });
  await withStub(handle, async ({ account }) => {
    const client = createAwsClient(account);
    const update = () => cloudformation.updateStack(client, INPUT);
    assertEquals(await update(), { stackId: ARN, lastEventId: "7" });
    assertEquals(await update(), false);
    await assertRejects(update, LlamaError, "Template error");
  });
});

Deno.test("describeStack() reads outputs, and is undefined where there is no stack", async () => {
  const absent = invalid("Stack with id llama does not exist");
  const handle = byAction({ DescribeStacks: [stack("CREATE_COMPLETE"), absent, absent] });
  await withStub(handle, async ({ account }) => {
    const client = createAwsClient(account);
    const found = await cloudformation.describeStack(client, "llama");
    assertEquals([found?.stackId, found?.status], [ARN, "CREATE_COMPLETE"]);
    assertEquals([...found?.outputs ?? []], [["ObjectStore", "s3://b/&"]]);
    assertEquals(await cloudformation.describeStack(client, "llama"), undefined);
    assertEquals(await cloudformation.deleteStack(client, "llama"), false);
  });
});

Deno.test("waitForStack() tells each event of the change once, the oldest first", async () => {
  const handle = byAction({
    DescribeStacks: [stack("UPDATE_IN_PROGRESS"), stack("UPDATE_COMPLETE")],
    DescribeStackEvents: [
      events(["8", "UPDATE_IN_PROGRESS"], ["7", "CREATE_COMPLETE"]),
      events(["10", "UPDATE_COMPLETE"], ["9", "UPDATE_COMPLETE"], ["8", "UPDATE_IN_PROGRESS"]),
    ],
  });
  await withStub(handle, async ({ account }) => {
    const told: string[] = [];
    const ended = await cloudformation.waitForStack(
      createAwsClient(account),
      { stackId: ARN, lastEventId: "7" },
      { pollMs: 1, onEvent: ({ eventId }) => told.push(eventId) },
    );
    assertEquals(ended?.status, "UPDATE_COMPLETE");
    assertEquals(told, ["8", "9", "10"]);
  });
});

Deno.test("waitForStack() throws the first failed event's reason", async () => {
  const handle = byAction({
    DescribeStacks: [stack("CREATE_IN_PROGRESS"), stack("ROLLBACK_COMPLETE")],
    DescribeStackEvents: [
      events(["1", "CREATE_IN_PROGRESS"]),
      events(
        ["4", "DELETE_FAILED", "later"],
        ["3", "CREATE_FAILED", "The name is taken."],
        ["2", "CREATE_FAILED", "Resource creation cancelled"],
        ["1", "CREATE_IN_PROGRESS"],
      ),
    ],
  });
  await withStub(handle, async ({ account }) => {
    const error = await assertRejects(
      () => cloudformation.waitForStack(createAwsClient(account), { stackId: ARN }, { pollMs: 1 }),
      LlamaError,
    );
    assertEquals(error.code, "StackFailed");
    assertEquals(
      error.message,
      'Cannot change the stack "llama", which ended in ROLLBACK_COMPLETE, as of ' +
        'AWS::S3::Bucket "R3": The name is taken',
    );
  });
});

Deno.test("deleteStack() is waited for by the stack's ARN", async () => {
  const handle = byAction({
    DescribeStacks: [
      stack("CREATE_COMPLETE"),
      stack("DELETE_IN_PROGRESS"),
      stack("DELETE_COMPLETE"),
    ],
    DescribeStackEvents: [events(["1", "CREATE_COMPLETE"])],
    DeleteStack: [{
      body: "<DeleteStackResponse><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>" +
        "</DeleteStackResponse>",
    }],
  });
  await withStub(handle, async ({ account, seen }) => {
    const client = createAwsClient(account);
    const operation = await cloudformation.deleteStack(client, "llama");
    assertEquals(operation, { stackId: ARN, lastEventId: "1" });
    if (operation === false) return;
    assertEquals(await cloudformation.waitForStack(client, operation, { pollMs: 1 }), undefined);
    assertEquals(seen.map(form).at(-2)?.get("StackName"), ARN);
  });
});

Deno.test("previewStack() lists the changes and leaves nothing behind", async () => {
  const change = (id: string) =>
    `<member><ResourceChange><Action>Add</Action><LogicalResourceId>${id}</LogicalResourceId>` +
    "<ResourceType>AWS::S3::Bucket</ResourceType></ResourceChange></member>";
  const empty = (action: string) => ({
    body: `<${action}Response><ResponseMetadata/></${action}Response>`,
  });
  const handle = byAction({
    DescribeStacks: [invalid("Stack with id llama does not exist")],
    CreateChangeSet: [result("CreateChangeSet", "<Id>arn:set</Id>")],
    DescribeChangeSet: [
      result("DescribeChangeSet", "<Status>CREATE_IN_PROGRESS</Status>"),
      result(
        "DescribeChangeSet",
        `<Status>CREATE_COMPLETE</Status><Changes>${change("A")}</Changes><NextToken>t</NextToken>`,
      ),
      result(
        "DescribeChangeSet",
        `<Status>CREATE_COMPLETE</Status><Changes>${change("B")}</Changes>`,
      ),
    ],
    DeleteChangeSet: [result("DeleteChangeSet", "")],
    DeleteStack: [empty("DeleteStack")],
  });
  await withStub(handle, async ({ account, seen }) => {
    const client = createAwsClient(account);
    const changes = await cloudformation.previewStack(client, INPUT, { pollMs: 1 });
    assertEquals(changes.map(({ action, logicalId }) => [action, logicalId]), [
      ["Add", "A"],
      ["Add", "B"],
    ]);
    const actions = seen.map(form).map((fields) => fields.get("Action"));
    assertEquals(actions.slice(-2), ["DeleteChangeSet", "DeleteStack"]);
    assertEquals(form(seen[1] ?? seen[0]!).get("ChangeSetType"), "CREATE");
  });
});

Deno.test("getCallerIdentity() says who signs", async () => {
  const answer = result(
    "GetCallerIdentity",
    "<Arn>arn:aws:iam::000000000000:user/u</Arn><UserId>U</UserId><Account>000000000000</Account>",
  );
  await withStub(() => answer, async ({ account, seen }) => {
    assertEquals(await getCallerIdentity(createAwsClient(account)), {
      accountId: "000000000000",
      arn: "arn:aws:iam::000000000000:user/u",
      userId: "U",
    });
    assertEquals(seen[0]?.service, "sts");
  });
});
