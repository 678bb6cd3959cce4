import * as z from 'zod';
import { CAPTURE_TYPE, JSON_TYPE, jsonBatch, refusalAnswer, REFUSALS, SEALED_TYPE, type Reason } from './protocol.ts';
import { COMMON_REFUSALS, type Route } from './routes.ts';

/** What a document says of a route. */
type Described = Omit<Route, 'serve'>;

export const OPENAPI_PATH = '/v1/openapi.json';

/** The OpenAPI 3.1 document, of the schemas that the gateway checks with. */
export function openApi(routes: readonly Described[], maxBodyBytes: number): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/gu, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, maxBodyBytes);
  }
  paths[OPENAPI_PATH] = {
    get: {
      summary: 'This document',
      security: [],
      responses: { 200: { description: 'OpenAPI 3.1', content: { [JSON_TYPE]: { schema: { type: 'object' } } } } },
    },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Redactory gateway', version: '1', description: 'How recorders hand over what they capture.' },
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{ token: [] }],
  };
}

function operationOf(route: Described, maxBodyBytes: number): object {
  const parameters = [...route.path.matchAll(/:(\w+)/gu)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: PARAMETERS[name] ?? { type: 'string' },
  }));
  const requestBody = bodyOf(route, maxBodyBytes);
  return {
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: answersOf(route),
  };
}

const PARAMETERS: Readonly<Record<string, object>> = {
  session: { type: 'string', format: 'uuid' },
  sequence: { type: 'integer', minimum: 0, maximum: 0x7fffffff },
};

function bodyOf({ body }: Described, maxLength: number): object | undefined {
  if (body === null) return undefined;
  if (body !== 'batch') return { required: true, content: { [JSON_TYPE]: { schema: schemaOf(body, 'input') } } };
  const binary = { schema: { type: 'string', format: 'binary', maxLength } };
  return {
    required: true,
    content: {
      [JSON_TYPE]: { schema: schemaOf(jsonBatch, 'input') },
      [CAPTURE_TYPE]: binary,
      [SEALED_TYPE]: binary,
    },
  };
}

function answersOf(route: Described): Record<number, object> {
  const answers: Record<number, object> = {};
  const refused = schemaOf(refusalAnswer, 'output');
  const reasons = [...COMMON_REFUSALS, ...route.refusals];
  for (const status of new Set(reasons.flatMap((reason) => statusesOf(reason, route)))) {
    const description = reasons.filter((reason) => statusesOf(reason, route).includes(status)).join(', ');
    answers[status] = { description, content: { [JSON_TYPE]: { schema: refused } } };
  }
  answers[route.status] = {
    description: route.summary,
    ...(route.answer === null ? {} : { content: { [JSON_TYPE]: { schema: schemaOf(route.answer, 'output') } } }),
  };
  return answers;
}

/** What ends a session is 410 where a batch is sent. */
function statusesOf(reason: Reason, { body }: Described): readonly number[] {
  const [status] = REFUSALS[reason];
  const ends = ['not_enrolled', 'paused', 'withdrawn', 'exempt', 'erased'].includes(reason);
  return [ends && body === 'batch' ? 410 : status];
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  // A transformed role is text either way.
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
