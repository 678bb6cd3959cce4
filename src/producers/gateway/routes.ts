/** Every route, once: what is served and what the OpenAPI document says come from here. */
import type * as z from 'zod';
import type { Body } from './bodies.ts';
import type { Gateway, Person } from './gateway.ts';
import type { Asking } from './identity.ts';
import type { PersonView } from './person-view.ts';
import {
  batchAnswer,
  erasureAnswer,
  erasureRequest,
  exemptionRequest,
  grantAnswer,
  keptAnswer,
  MAX_SEQUENCE,
  pauseRequest,
  readersAnswer,
  requestsAnswer,
  sessionRequest,
  statusAnswer,
  type Reason,
  type Refused,
} from './protocol.ts';

export interface Call {
  readonly person: Person;
  readonly params: Readonly<Record<string, string>>;
  /** As the route's `body` says: checked, or as it came. */
  readonly body: unknown;
  readonly sent: Body;
  readonly asking: Asking;
}

/** A route of a service `S`. */
export interface Route<S = Gateway> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  /** What a JSON body must be; `batch` for one of the three forms of a batch; null for none. */
  readonly body: z.ZodType | 'batch' | null;
  readonly status: 200 | 201 | 204;
  readonly answer: z.ZodType | null;
  /** Of a POST by which people decide about themselves: limits of its own apply. */
  readonly isDecision?: true;
  /** Beside those that every route may have. */
  readonly refusals: readonly Reason[];
  readonly serve: (service: S, call: Call) => Promise<object | null> | object | null;
}

/** What any request may meet. */
export const COMMON_REFUSALS: readonly Reason[] = [
  'bad_request',
  'unauthenticated',
  'bad_identity',
  'cross_site',
  'not_found',
  'method_not_allowed',
  'too_slow',
  'too_large',
  'unsupported_type',
  'unsupported_encoding',
  'rate',
  'internal',
  'busy',
  'unavailable',
];

const ENDS: readonly Reason[] = ['not_enrolled', 'paused', 'withdrawn', 'exempt', 'erased'];

/** Types a route to its body's schema. */
function withBody<T>(
  schema: z.ZodType<T>,
  serve: (gateway: Gateway, person: Person, body: T) => Promise<object | null>,
): Pick<Route, 'body' | 'serve'> {
  return { body: schema, serve: (gateway, { person, body }) => serve(gateway, person, schema.parse(body)) };
}

export const SESSION_ID = /^[0-9a-f-]{36}$/u;

/** About the person, from who may open what is closed: served by the steward, and passed on by the gateway. */
export const VIEW_ROUTES: readonly Route<PersonView>[] = [
  {
    method: 'GET',
    path: '/v1/me/kept',
    summary: 'What was kept of the last days, and how much was dropped for which reason',
    body: null,
    status: 200,
    answer: keptAnswer,
    refusals: ['not_served'],
    serve: (view, { person, asking }) => view.kept(person, asking),
  },
  {
    method: 'GET',
    path: '/v1/me/readers',
    summary: 'Who had access to raw data',
    body: null,
    status: 200,
    answer: readersAnswer,
    refusals: ['not_served'],
    serve: (view, { person, asking }) => view.readers(person, asking),
  },
];

const NOT_FOUND: Refused = { refused: 'not_found' };

export const ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Asks for a session',
    status: 201,
    answer: grantAnswer,
    refusals: [...ENDS, 'device_mismatch'],
    ...withBody(sessionRequest, (gateway, person, { device }) => gateway.grant(person, device)),
  },
  {
    method: 'DELETE',
    path: '/v1/sessions/:session',
    summary: 'Ends a session',
    body: null,
    status: 204,
    answer: null,
    refusals: ['device_mismatch'],
    serve: (gateway, { person, params }) => gateway.end(person, params['session'] ?? '') ?? null,
  },
  {
    method: 'PUT',
    path: '/v1/sessions/:session/batches/:sequence',
    summary: 'Hands over a batch; acknowledged when it is on the disk of the log',
    body: 'batch',
    status: 200,
    answer: batchAnswer,
    refusals: [
      ...ENDS,
      'subject_mismatch',
      'device_mismatch',
      'conflict',
      'out_of_order',
      'expired',
      'ended',
      'bad_batch',
      'too_many_events',
      'unknown_sealing_key',
      'over_budget',
    ],
    serve: (gateway, { person, params, sent, asking }) => {
      const { session = '', sequence = '' } = params;
      if (!SESSION_ID.test(session)) return NOT_FOUND;
      const number = /^\d{1,10}$/u.test(sequence) ? Number(sequence) : Infinity;
      if (number > MAX_SEQUENCE) return { refused: 'bad_request' } satisfies Refused;
      const { traceparent } = asking.headers;
      return gateway.put(person, session, number, sent, typeof traceparent === 'string' ? traceparent : undefined);
    },
  },
  {
    method: 'GET',
    path: '/v1/me',
    summary: 'How the person stands',
    body: null,
    status: 200,
    answer: statusAnswer,
    refusals: [],
    serve: (gateway, { person }) => gateway.status(person),
  },
  {
    method: 'POST',
    path: '/v1/me/pause',
    isDecision: true,
    summary: 'Pauses recording; open sessions end',
    status: 200,
    answer: statusAnswer,
    refusals: [],
    ...withBody(pauseRequest, (gateway, person, { minutes }) => gateway.decide(person, 'pause', minutes)),
  },
  {
    method: 'POST',
    path: '/v1/me/resume',
    isDecision: true,
    summary: 'Ends a pause',
    body: null,
    status: 200,
    answer: statusAnswer,
    refusals: [],
    serve: (gateway, { person }) => gateway.decide(person, 'resume'),
  },
  {
    method: 'POST',
    path: '/v1/me/withdraw',
    isDecision: true,
    summary: 'Ends recording for good; open sessions end',
    body: null,
    status: 200,
    answer: statusAnswer,
    refusals: [],
    serve: (gateway, { person }) => gateway.decide(person, 'withdraw'),
  },
  {
    method: 'GET',
    path: '/v1/me/requests',
    summary: 'What the person has asked an operator for, and the answers',
    body: null,
    status: 200,
    answer: requestsAnswer,
    refusals: [],
    serve: (gateway, { person }) => gateway.requests(person),
  },
  {
    method: 'POST',
    path: '/v1/me/exemption',
    summary: 'Asks an operator for an exemption',
    status: 200,
    answer: requestsAnswer,
    refusals: ['too_many_requests'],
    ...withBody(exemptionRequest, (gateway, person, { reason }) => gateway.askExemption(person, reason)),
  },
  {
    method: 'GET',
    path: '/v1/me/erasure',
    summary: 'How far an erasure is',
    body: null,
    status: 200,
    answer: erasureAnswer,
    refusals: [],
    serve: (gateway, { person }) => gateway.erasure(person),
  },
  {
    method: 'POST',
    path: '/v1/me/erasure',
    isDecision: true,
    summary: 'Asks for the erasure of all that was kept; open sessions end',
    status: 200,
    answer: erasureAnswer,
    refusals: [],
    ...withBody(erasureRequest, (gateway, person) => gateway.erase(person)),
  },
  ...VIEW_ROUTES.map((route): Route => ({ ...route, serve: (gateway, call) => route.serve(gateway.view, call) })),
];
