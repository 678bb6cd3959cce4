import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, expect, test } from 'vitest';
import { startProxy } from './proxy.ts';
import { describeWithS3, startMinio, type S3Server } from './s3.ts';

let server: S3Server | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

function client({ region, accessKeyId, secretAccessKey }: S3Server, endpoint: string, maxAttempts = 10): S3Client {
  const credentials = { accessKeyId, secretAccessKey };
  return new S3Client({ endpoint, region, credentials, maxAttempts, forcePathStyle: true });
}

describeWithS3('an S3 server for tests', () => {
  test('takes a file only if there is none, and keeps it over a stop', async () => {
    server = await startMinio();
    const { bucket: Bucket, endpoint } = server;
    const s3 = client(server, endpoint);
    const put = new PutObjectCommand({ Bucket, Key: 'a', Body: 'one', IfNoneMatch: '*' });
    await s3.send(put);
    await expect(s3.send(put)).rejects.toThrow('At least one of the pre-conditions');
    await server.stop();
    await server.start();
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'a' }));
    expect(await Body?.transformToString()).toBe('one');
    s3.destroy();
  });

  test('looks gone behind a proxy that is cut, and is there again', async () => {
    server = await startMinio();
    const proxy = await startProxy({ port: server.port, protocol: 'bytes' });
    const s3 = client(server, `http://127.0.0.1:${proxy.port}`, 1);
    const put = new PutObjectCommand({ Bucket: server.bucket, Key: 'a', Body: 'x'.repeat(3_000_000) });
    await s3.send(put);
    proxy.cut();
    await expect(s3.send(put)).rejects.toThrow(/ECONNRESET|socket hang up/u);
    proxy.restore();
    proxy.delay(20);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: server.bucket, Key: 'a' }));
    expect((await Body?.transformToByteArray())?.length).toBe(3_000_000);
    s3.destroy();
    await proxy.close();
  });
});
