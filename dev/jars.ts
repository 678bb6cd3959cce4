/** Kafka's jars, from whatever repository the local Maven is set up for. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { runToEnd } from './server-process.ts';

export const KAFKA_VERSION = '4.1.0';
const JAVA_AT_LEAST = 17;

const DEPENDENCIES = [
  ['org.apache.kafka', 'kafka_2.13', KAFKA_VERSION],
  ['org.apache.kafka', 'kafka-tools', KAFKA_VERSION],
  ['org.slf4j', 'slf4j-simple', '1.7.36'],
];

/** A program that is needed is not there, or too old; the message says what to install. */
export class MissingProgramError extends Error {
  override name = 'MissingProgramError';
}

/** Throws `MissingProgramError` unless there is a Java that runs Kafka. */
export async function requireJava(): Promise<void> {
  // `java -version` prints to standard error: openjdk version "17.0.15" 2025-04-15. Java 8 calls itself 1.8.
  const printed = await execute('java', ['-version']);
  const found = /version "(?:1\.)?(\d+)/u.exec(printed ?? '')?.[1];
  if (found !== undefined && Number(found) >= JAVA_AT_LEAST) return;
  const is = found === undefined ? 'there is none on the PATH' : `the one on the PATH is ${found}`;
  throw new MissingProgramError(
    `Kafka needs Java ${JAVA_AT_LEAST} or newer; ${is}. Install one, such as with: apt-get install openjdk-17-jre-headless (Debian, Ubuntu), brew install openjdk (macOS)`,
  );
}

/** Whether this folder has the jars of the version that this project is tested with. */
export function hasJars(lib: string): boolean {
  return existsSync(join(lib, `kafka_2.13-${KAFKA_VERSION}.jar`));
}

/** Downloads the jars (54 MB) into a folder, which afterwards has all of them or is as it was. */
export async function downloadJars(lib: string, onOutput?: (text: string) => void): Promise<void> {
  if ((await execute('mvn', ['--version'])) === undefined) {
    throw new MissingProgramError(
      'Maven (mvn), which downloads Kafka, is not on the PATH. Install it, such as with: apt-get install maven (Debian, Ubuntu), brew install maven (macOS); or set REDACTORY_KAFKA_LIB to a folder of Kafka’s jars',
    );
  }
  await mkdir(dirname(lib), { recursive: true, mode: 0o700 });
  const work = `${lib}.part`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work);
  try {
    await writeFile(join(work, 'pom.xml'), pom());
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${join(work, 'lib')}`];
    await runToEnd({
      name: 'Maven',
      command: 'mvn',
      args: ['-q', '-B', '-f', join(work, 'pom.xml'), ...goal],
      ...(onOutput && { onOutput }),
    });
    await rm(lib, { recursive: true, force: true });
    await rename(join(work, 'lib'), lib);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function pom(): string {
  const dependencies = DEPENDENCIES.map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  const head = '<modelVersion>4.0.0</modelVersion><groupId>redactory</groupId><artifactId>kafka</artifactId>';
  return `<project>${head}<version>1</version><dependencies>${dependencies.join('')}</dependencies></project>\n`;
}

/** What a program prints, or undefined if it cannot be run or fails. */
async function execute(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args);
    return stdout + stderr;
  } catch {
    return undefined;
  }
}
