/** Credentials of somebody who may do less than the server's owner, by STS AssumeRole, which MinIO has too. */
import { createHash, createHmac } from 'node:crypto';
import type { S3Server } from '../servers/s3.ts';

/** @returns environment variables with credentials that may do what `policy`, an IAM policy document, allows. */
export async function assumeRole(server: S3Server, policy: string): Promise<Record<string, string>> {
  const parameters = { Action: 'AssumeRole', Version: '2011-06-15', DurationSeconds: '3600', Policy: policy };
  const body = new URLSearchParams(parameters).toString();
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/gu, '');
  const authorization = sign(server, body, date);
  const headers = { 'content-type': FORM, 'x-amz-date': date, authorization };
  const answer = await fetch(server.endpoint, { method: 'POST', headers, body });
  const document = await answer.text();
  const value = (tag: string): string => new RegExp(`<${tag}>(.+?)</${tag}>`, 'u').exec(document)?.[1] ?? '';
  if (value('SessionToken') === '') throw new Error(`AssumeRole failed with ${answer.status} ${value('Code')}`);
  return {
    ...server.env,
    AWS_ACCESS_KEY_ID: value('AccessKeyId'),
    AWS_SECRET_ACCESS_KEY: value('SecretAccessKey'),
    AWS_SESSION_TOKEN: value('SessionToken'),
  };
}

const FORM = 'application/x-www-form-urlencoded';

/** Signature Version 4 (AWS, "Signing AWS API requests") of a form to the server's root. */
function sign({ endpoint, accessKeyId, secretAccessKey, region }: S3Server, body: string, date: string): string {
  const headers = `content-type:${FORM}\nhost:${new URL(endpoint).host}\nx-amz-date:${date}\n`;
  const names = 'content-type;host;x-amz-date';
  const scope = `${date.slice(0, 8)}/${region}/sts/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(`POST\n/\n\n${headers}\n${names}\n${sha256(body)}`)].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((by, part) => createHmac('sha256', by).update(part).digest(), `AWS4${secretAccessKey}`);
  const signature = createHmac('sha256', key).update(text).digest('hex');
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
