import { Option, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { REQUEST_ANSWERS, type PersonRequest, type RequestAnswer } from '../events/control.ts';
import { makeDecision } from '../privacy/decisions.ts';
import { audited } from '../runtime/audit.ts';
import { appendDecision } from '../runtime/ingest.ts';
import { answerRequest, openRequests } from '../runtime/requests.ts';
import { RunError } from '../runtime/run-error.ts';
import { action, withWorkspace, type Io } from './io.ts';
import { whyOption, type Why } from './reason.ts';

interface List {
  readonly all?: boolean;
}

interface Answer extends Why {
  readonly answer: RequestAnswer;
  readonly comment: string;
}

export function requestsCommand(program: Command, io: Io): void {
  const requests = program
    .command('requests')
    .description('what people ask for on their page, and an operator decides');
  requests
    .command('list')
    .description('open requests, with the reasons that people gave')
    .option('--all', 'answered ones too')
    .addHelpText('after', '\nExample:\n  redactory requests list --json')
    .action(
      action<List>(io, (context, own) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const table = await openRequests(workspace);
          const shown = table.all().filter(({ answer }) => own.all === true || answer === null);
          context.print(shown.length === 0 ? 'no open requests' : shown.map(lineOf).join('\n'), {
            requests: shown.map(({ requestId, kind, reason, askedAt, answer, comment }) => {
              return { requestId, kind, reason, askedAt: new Date(askedAt).toISOString(), answer, comment };
            }),
          });
        }),
      ),
    );
  requests
    .command('answer')
    .description('decide a request; what is granted holds at once, and the reason is deleted')
    .argument('<id>', 'the request, by its id')
    .addOption(new Option('--answer <answer>', 'what is decided').choices(REQUEST_ANSWERS).makeOptionMandatory())
    .option('--comment <text>', 'what to say to the person', '')
    .addOption(whyOption())
    .addHelpText('after', '\nExample:\n  redactory requests answer 4f0c8d1e --answer granted')
    .action(
      action<Answer>(io, (context, { answer, comment, why }, [id = '']) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const { log, codec } = workspace;
          if (comment.length > MAX_COMMENT) throw new RunError(`--comment has ${MAX_COMMENT} characters at most`);
          const request = (await openRequests(workspace)).all().find(({ requestId }) => requestId === id);
          if (request === undefined) throw new RunError('there is no such request: see `redactory requests list`');
          if (request.answer !== null) throw new RunError(`this request was answered already: ${request.answer}`);
          const entry = { what: 'requests answer' as const, why, about: { kind: request.kind, answer } };
          await audited(workspace.audit, entry, async () => {
            const now = await workspace.trustedNow();
            // The exemption first: an answer that says granted must be true.
            if (answer === 'granted') {
              const { subjectKey } = request;
              await appendDecision(log, codec, makeDecision('exempt', { subjectKey, now, randomId: randomUUID }));
            }
            await answerRequest(workspace, request, { answer, comment, now });
          });
          context.print(`${request.kind}: ${answer}`, { requestId: id, kind: request.kind, answer });
        }),
      ),
    );
}

const MAX_COMMENT = 500;

/** A reason is what a person typed: on a terminal only as printable text of one line. */
function lineOf({ requestId, kind, reason, askedAt, answer }: PersonRequest): string {
  const text = reason.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
  return `${requestId}  ${new Date(askedAt).toISOString()}  ${kind}  ${answer ?? 'open'}  ${text}`.trimEnd();
}
