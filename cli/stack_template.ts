/**
 * The CloudFormation template of what llama needs in an account: a bucket for objects, a repository
 * for images, and the role that functions run as. Names are CloudFormation's own, so that nothing
 * that an earlier stack left behind is in the way.
 *
 * Property names: AWS CloudFormation Template Reference, resource types AWS::S3::Bucket,
 * AWS::S3::BucketPolicy, AWS::ECR::Repository and AWS::IAM::Role.
 */

/** A CloudFormation template, as far as llama uses the language. */
export interface Template {
  readonly AWSTemplateFormatVersion: "2010-09-09";
  readonly Description: string;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs: Readonly<
    Record<string, { readonly Description: string; readonly Value: TemplateValue }>
  >;
}

/** One resource of a template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties: { readonly [name: string]: TemplateValue };
}

/** Any value of a property. */
export type TemplateValue =
  | string
  | number
  | boolean
  | readonly TemplateValue[]
  | { readonly [name: string]: TemplateValue };

/** Names of the stack's outputs. */
export const OUTPUTS = {
  store: "ObjectStore",
  repository: "Repository",
  role: "Role",
} as const;

/** What a caller may choose. */
export interface TemplateOptions {
  /** Days after which an object is deleted; the client stores it again when a job needs it. */
  readonly objectDays: number;
}

/** The template of the stack. */
export function stackTemplate({ objectDays }: TemplateOptions): Template {
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    Description: "What llama needs: object store, image repository and the role of its functions",
    Resources: {
      Bucket: bucket(objectDays),
      BucketPolicy: bucketPolicy(),
      Repository: repository(),
      Role: role(),
    },
    Outputs: {
      [OUTPUTS.store]: {
        Description: "Where objects are",
        Value: sub("s3://${Bucket}/"),
      },
      [OUTPUTS.repository]: {
        Description: "Where images of functions are",
        Value: sub(
          "${AWS::AccountId}.dkr.ecr.${AWS::Region}.${AWS::URLSuffix}/${Repository}",
        ),
      },
      [OUTPUTS.role]: { Description: "What functions run as", Value: getAtt("Role", "Arn") },
    },
  };
}

function bucket(objectDays: number): TemplateResource {
  return {
    Type: "AWS::S3::Bucket",
    Properties: {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } },
        ],
      },
      LifecycleConfiguration: {
        Rules: [
          {
            Id: "expire-objects",
            Status: "Enabled",
            Prefix: "obj/",
            ExpirationInDays: objectDays,
          },
          {
            Id: "abort-uploads",
            Status: "Enabled",
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
          },
        ],
      },
    },
  };
}

function bucketPolicy(): TemplateResource {
  return {
    Type: "AWS::S3::BucketPolicy",
    Properties: {
      Bucket: ref("Bucket"),
      PolicyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "TlsOnly",
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: [getAtt("Bucket", "Arn"), sub("${Bucket.Arn}/*")],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      },
    },
  };
}

function repository(): TemplateResource {
  return {
    Type: "AWS::ECR::Repository",
    Properties: {
      ImageScanningConfiguration: { ScanOnPush: true },
      LifecyclePolicy: {
        LifecyclePolicyText: JSON.stringify({
          rules: [
            {
              rulePriority: 1,
              description: "Images that a newer one has replaced",
              selection: {
                tagStatus: "untagged",
                countType: "sinceImagePushed",
                countUnit: "days",
                countNumber: 7,
              },
              action: { type: "expire" },
            },
          ],
        }),
      },
      RepositoryPolicyText: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "LambdaPulls",
            Effect: "Allow",
            Principal: { Service: "lambda.amazonaws.com" },
            Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            Condition: {
              StringLike: {
                "aws:sourceArn": sub(
                  "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*",
                ),
              },
            },
          },
        ],
      },
    },
  };
}

function role(): TemplateResource {
  return {
    Type: "AWS::IAM::Role",
    Properties: {
      AssumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "lambda.amazonaws.com" },
            Action: "sts:AssumeRole",
          },
        ],
      },
      Policies: [
        {
          PolicyName: "llama",
          PolicyDocument: {
            Version: "2012-10-17",
            Statement: [
              {
                Sid: "Objects",
                Effect: "Allow",
                Action: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"],
                Resource: sub("${Bucket.Arn}/obj/*"),
              },
              {
                // Without this permission S3 answers 403 for a key that is absent. A read of a key
                // has no s3:prefix, hence IfExists.
                Sid: "AbsentObjects",
                Effect: "Allow",
                Action: "s3:ListBucket",
                Resource: getAtt("Bucket", "Arn"),
                Condition: { StringLikeIfExists: { "s3:prefix": "obj/*" } },
              },
              {
                Sid: "Logs",
                Effect: "Allow",
                Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                Resource: sub(
                  "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:" +
                    "log-group:/aws/lambda/*",
                ),
              },
            ],
          },
        },
      ],
    },
  };
}

function ref(name: string): TemplateValue {
  return { Ref: name };
}

function sub(text: string): TemplateValue {
  return { "Fn::Sub": text };
}

function getAtt(resource: string, attribute: string): TemplateValue {
  return { "Fn::GetAtt": [resource, attribute] };
}
