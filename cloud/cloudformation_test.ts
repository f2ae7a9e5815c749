import { assert, assertEquals, assertMatch } from "@std/assert";
import { type CloudFixture, withCloud } from "./cloud_fixture.ts";

const NAME = { StackName: "llama" };
const NAMED_IAM = { "Capabilities.member.1": "CAPABILITY_NAMED_IAM" };

function template(resources: Record<string, unknown>, rest: Record<string, unknown> = {}): string {
  return JSON.stringify({ Resources: resources, ...rest });
}

const FULL = template({
  Policy: {
    Type: "AWS::S3::BucketPolicy",
    Properties: {
      Bucket: { Ref: "Bucket" },
      PolicyDocument: {
        Statement: [{
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: [{ "Fn::GetAtt": ["Bucket", "Arn"] }, { "Fn::Sub": "${Bucket.Arn}/*" }],
        }],
      },
    },
  },
  Bucket: {
    Type: "AWS::S3::Bucket",
    Properties: {
      LifecycleConfiguration: {
        Rules: [{
          Id: "expire",
          Status: "Enabled",
          Prefix: "obj/",
          ExpirationInDays: { Ref: "Days" },
        }],
      },
    },
  },
  Repository: {
    Type: "AWS::ECR::Repository",
    Properties: { RepositoryName: { "Fn::Join": ["/", ["x", { Ref: "AWS::StackName" }]] } },
  },
  Role: {
    Type: "AWS::IAM::Role",
    Properties: {
      RoleName: "worker",
      AssumeRolePolicyDocument: { Statement: [] },
      Policies: [{
        PolicyName: "objects",
        PolicyDocument: {
          Statement: [{
            Effect: "Allow",
            Action: "s3:GetObject",
            Resource: { "Fn::Sub": ["${Arn}/*", { Arn: { "Fn::GetAtt": "Bucket.Arn" } }] },
          }],
        },
      }],
    },
  },
}, {
  Parameters: { Days: { Type: "Number", Default: "30" } },
  Outputs: {
    ObjectStore: { Value: { "Fn::Sub": "s3://${Bucket}/" }, Description: "Where objects live" },
    Repository: { Value: { "Fn::GetAtt": ["Repository", "RepositoryUri"] } },
    Role: { Value: { "Fn::GetAtt": ["Role", "Arn"] } },
  },
});

/** Waits until nothing is in progress, and gives the status. */
async function settled(cloud: CloudFixture, name = "llama"): Promise<string> {
  for (;;) {
    const answer = await cloud.query("cloudformation", "DescribeStacks", { StackName: name });
    const [status = answer.all("Message")[0] ?? ""] = answer.all("StackStatus");
    if (!status.endsWith("_IN_PROGRESS")) return status;
  }
}

function withFormation(
  test: (
    call: (action: string, parameters?: Record<string, string>) => Promise<string>,
    cloud: CloudFixture,
  ) => Promise<void>,
): Promise<void> {
  return withCloud((cloud) =>
    test(async (action, parameters = NAME) => {
      const answer = await cloud.query("cloudformation", action, { ...NAME, ...parameters });
      return answer.status === 200
        ? await settled(cloud, parameters["StackName"])
        : `${answer.code}: ${answer.all("Message")[0]}`;
    }, cloud)
  );
}

Deno.test("CloudFormation makes a stack, tells its outputs and removes it", async () => {
  await withFormation(async (call, cloud) => {
    const { query, s3 } = cloud;
    const made = await call("CreateStack", { TemplateBody: FULL, ...NAMED_IAM });
    assertEquals(made, "CREATE_COMPLETE");
    const described = await query("cloudformation", "DescribeStacks", NAME);
    const [store = "", repository, role] = described.all("OutputValue");
    assertMatch(store, /^s3:\/\/llama-bucket-[a-z0-9]{12}\/$/);
    assertEquals(repository, "000000000000.dkr.ecr.us-east-1.amazonaws.com/x/llama");
    assertEquals(role, "arn:aws:iam::000000000000:role/worker");
    const bucket = store.slice(5, -1);
    assertEquals((await s3(`/${bucket}`, { method: "HEAD" })).status, 200);
    assert((await s3(`/${bucket}?policy`)).text.includes(`"arn:aws:s3:::${bucket}/*"`));
    assertEquals((await s3(`/${bucket}?lifecycle`)).all("Days"), ["30"]);
    const resources = await query("cloudformation", "DescribeStackResources", NAME);
    assertEquals(resources.all("LogicalResourceId"), ["Bucket", "Policy", "Repository", "Role"]);
    const events = await query("cloudformation", "DescribeStackEvents", NAME);
    assertEquals(events.all("LogicalResourceId")[0], "llama");
    assertEquals(events.all("ResourceStatus").at(-1), "CREATE_IN_PROGRESS");
    assertEquals((await query("cloudformation", "GetTemplate", NAME)).all("TemplateBody"), [FULL]);

    const again = await call("CreateStack", { TemplateBody: FULL, ...NAMED_IAM });
    assertEquals(again, "AlreadyExistsException: Stack [llama] already exists");
    assertEquals(
      await call("DeleteStack"),
      "Stack with id llama does not exist",
    );
    assertEquals((await s3(`/${bucket}`, { method: "HEAD" })).status, 404);
    const [id = ""] = described.all("StackId");
    const gone = await query("cloudformation", "DescribeStacks", { StackName: id });
    assertEquals(gone.all("StackStatus"), ["DELETE_COMPLETE"]);
    assertEquals(await call("DeleteStack"), "Stack with id llama does not exist");
  });
});

Deno.test("CloudFormation updates in place what it can, and replaces what it cannot", async () => {
  await withFormation(async (call, cloud) => {
    await call("CreateStack", { TemplateBody: FULL, ...NAMED_IAM });
    const unchanged = await call("UpdateStack", { TemplateBody: FULL, ...NAMED_IAM });
    assertEquals(unchanged, "ValidationError: No updates are to be performed.");
    const ids = async () =>
      (await cloud.query("cloudformation", "DescribeStackResources", NAME))
        .all("PhysicalResourceId");
    const before = await ids();
    const days = {
      "Parameters.member.1.ParameterKey": "Days",
      "Parameters.member.1.ParameterValue": "7",
    };
    assertEquals(
      await call("UpdateStack", { UsePreviousTemplate: "true", ...NAMED_IAM, ...days }),
      "UPDATE_COMPLETE",
    );
    assertEquals(await ids(), before);
    assertEquals((await cloud.s3(`/${before[0]}?lifecycle`)).all("Days"), ["7"]);
    const renamed = FULL.replace('"worker"', '"builder"');
    assertEquals(
      await call("UpdateStack", { TemplateBody: renamed, ...NAMED_IAM }),
      "UPDATE_COMPLETE",
    );
    assertEquals((await ids()).toSorted(), [...before.slice(0, 3), "builder"].toSorted());
    const roles = [...Deno.readDirSync(`${cloud.directory}/iam`)].map(({ name }) => name);
    assertEquals(roles, ["builder="]);
  });
});

Deno.test("CloudFormation rolls back a creation that fails, and says what failed first", async () => {
  await withFormation(async (call, cloud) => {
    await cloud.s3("/taken", { method: "PUT" });
    const body = template({
      First: { Type: "AWS::ECR::Repository", Properties: { RepositoryName: "first" } },
      Second: {
        Type: "AWS::S3::Bucket",
        DependsOn: "First",
        Properties: { BucketName: "taken" },
      },
    });
    assertEquals(await call("CreateStack", { TemplateBody: body }), "ROLLBACK_COMPLETE");
    assertEquals([...Deno.readDirSync(`${cloud.directory}/ecr`)], []);
    assertEquals((await cloud.s3("/taken", { method: "HEAD" })).status, 200);
    const events = await cloud.query("cloudformation", "DescribeStackEvents", NAME);
    assertEquals(events.all("ResourceStatusReason").includes("taken already exists"), true);
    const update = await call("UpdateStack", { TemplateBody: body });
    assertMatch(update, /^ValidationError: Stack:arn:.* is in ROLLBACK_COMPLETE state and can not/);
    assertEquals(await call("DeleteStack"), "Stack with id llama does not exist");
    assertEquals((await cloud.s3("/taken", { method: "HEAD" })).status, 200);
  });
});

Deno.test("CloudFormation rolls back an update that fails to what was there", async () => {
  await withFormation(async (call, cloud) => {
    const repository = (properties: Record<string, unknown>) => ({
      Type: "AWS::ECR::Repository",
      Properties: properties,
    });
    const body = (first: string, mutability: string, rest: Record<string, unknown>) =>
      template({
        First: repository({ RepositoryName: first }),
        Second: repository({ RepositoryName: "second", ImageTagMutability: mutability }),
        ...rest,
      });
    await cloud.s3("/taken", { method: "PUT" });
    const old = body("one", "MUTABLE", {});
    assertEquals(await call("CreateStack", { TemplateBody: old }), "CREATE_COMPLETE");
    const bad = body("two", "IMMUTABLE", {
      Third: {
        Type: "AWS::S3::Bucket",
        DependsOn: ["First", "Second"],
        Properties: { BucketName: "taken" },
      },
    });
    assertEquals(await call("UpdateStack", { TemplateBody: bad }), "UPDATE_ROLLBACK_COMPLETE");
    const records: Record<string, string> = {};
    for (const { name } of Deno.readDirSync(`${cloud.directory}/ecr`)) {
      const text = await Deno.readTextFile(`${cloud.directory}/ecr/${name}`);
      records[name] = JSON.parse(text).properties.ImageTagMutability ?? "";
    }
    assertEquals(records, { "one=": "", "second=": "MUTABLE" });
    const good = body("one", "IMMUTABLE", {});
    assertEquals(await call("UpdateStack", { TemplateBody: good }), "UPDATE_COMPLETE");
  });
});

Deno.test("CloudFormation keeps a stack whose bucket is not empty until it is", async () => {
  await withFormation(async (call, cloud) => {
    const body = template({
      Bucket: { Type: "AWS::S3::Bucket", Properties: { BucketName: "b-1" } },
    });
    await call("CreateStack", { TemplateBody: body });
    await cloud.s3("/b-1/k", { method: "PUT", body: "x" });
    assertEquals(await call("DeleteStack"), "DELETE_FAILED");
    assertEquals((await cloud.s3("/b-1/k")).text, "x");
    await cloud.s3("/b-1/k", { method: "DELETE" });
    assertEquals(await call("DeleteStack"), "Stack with id llama does not exist");
  });
});

Deno.test("CloudFormation refuses templates and calls that cannot be", async () => {
  await withFormation(async (call) => {
    const bucket = (properties: Record<string, unknown> = {}) => ({
      Type: "AWS::S3::Bucket",
      Properties: properties,
    });
    const cases: [parameters: Record<string, string>, message: string][] = [
      [{}, "Either Template URL or Template Body must be specified."],
      [{ TemplateBody: "{" }, "Template format error: JSON not well-formed."],
      [
        { TemplateBody: "Resources:\n  A:\n" },
        "Template format error: only JSON templates are supported here, not YAML",
      ],
      [
        { TemplateBody: "{}" },
        "Template format error: At least one Resources member must be defined.",
      ],
      [
        { TemplateBody: template({ A: { Type: "AWS::X::Y" } }) },
        "Template format error: Unrecognized resource types: [AWS::X::Y]",
      ],
      [
        { TemplateBody: template({ A: bucket({ BucketName: { Ref: "B" } }) }) },
        "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
      ],
      [
        {
          TemplateBody: template({
            A: bucket({ BucketName: { Ref: "B" } }),
            B: bucket({ BucketName: { "Fn::Sub": "x-${A}" } }),
          }),
        },
        "Circular dependency between resources: [A, B]",
      ],
      [
        { TemplateBody: template({ A: bucket() }, { Parameters: { P: { Type: "String" } } }) },
        "Parameters: [P] must have values",
      ],
      [
        {
          TemplateBody: template({ A: bucket() }),
          "Parameters.member.1.ParameterKey": "P",
          "Parameters.member.1.ParameterValue": "x",
        },
        "Parameters: [P] do not exist in the template",
      ],
      [
        { StackName: "1x", TemplateBody: template({ A: bucket() }) },
        "1 validation error detected: Value '1x' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*",
      ],
    ];
    for (const [parameters, message] of cases) {
      assertEquals(await call("CreateStack", parameters), `ValidationError: ${message}`);
    }
    assertEquals(
      await call("CreateStack", { TemplateBody: FULL }),
      "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]",
    );
    assertEquals(
      await call("UpdateStack", { TemplateBody: FULL }),
      "ValidationError: Stack with id llama does not exist",
    );
    const strange = template({ A: bucket({ Nothing: 1 }) });
    assertEquals(await call("CreateStack", { TemplateBody: strange }), "ROLLBACK_COMPLETE");
  });
});

Deno.test("CloudFormation makes and updates a stack by change sets", async () => {
  await withFormation(async (call, cloud) => {
    const set = (name: string, type: string, days: string) => ({
      ChangeSetName: name,
      ChangeSetType: type,
      TemplateBody: FULL,
      "Parameters.member.1.ParameterKey": "Days",
      "Parameters.member.1.ParameterValue": days,
      ...NAMED_IAM,
    });
    const { query } = cloud;
    const describe = async (name: string) => {
      const parameters = { ...NAME, ChangeSetName: name };
      return await query("cloudformation", "DescribeChangeSet", parameters);
    };
    await query("cloudformation", "CreateChangeSet", { ...NAME, ...set("one", "CREATE", "3") });
    const first = await describe("one");
    assertEquals(first.all("Status"), ["CREATE_COMPLETE"]);
    assertEquals(first.all("Action"), ["Add", "Add", "Add", "Add"]);
    assertEquals(await call("ExecuteChangeSet", { ChangeSetName: "one" }), "CREATE_COMPLETE");

    await call("CreateChangeSet", set("same", "UPDATE", "3"));
    const same = await describe("same");
    assertEquals(same.all("Status"), ["FAILED"]);
    assertMatch(same.all("StatusReason")[0] ?? "", /^The submitted information didn't contain/);
    await call("CreateChangeSet", set("two", "UPDATE", "4"));
    const second = await describe("two");
    assertEquals(second.all("Action"), ["Modify"]);
    assertEquals(second.all("LogicalResourceId"), ["Bucket"]);
    assertEquals(second.all("Replacement"), ["False"]);
    assertEquals(await call("ExecuteChangeSet", { ChangeSetName: "two" }), "UPDATE_COMPLETE");
    const gone = await describe("two");
    assertEquals([gone.status, gone.code], [400, "ChangeSetNotFound"]);
  });
});

Deno.test("CloudFormation sums up a template", async () => {
  await withCloud(async ({ query }) => {
    const parameters = { TemplateBody: FULL };
    const answer = await query("cloudformation", "GetTemplateSummary", parameters);
    assertEquals(answer.all("ParameterKey"), ["Days"]);
    assertEquals(answer.all("DefaultValue"), ["30"]);
    assertEquals(/<Capabilities><member>CAPABILITY_NAMED_IAM</.test(answer.text), true);
  });
});
