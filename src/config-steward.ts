import * as z from 'zod';

const path = (text: string): z.ZodString => z.string().min(1).max(4_096).describe(text);

/** The `steward` section of the config file. */
export const stewardSchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(255)
    .describe('Where the gateway is served. Another than this machine: with `tls`, or behind a proxy that has it.')
    .default('127.0.0.1'),
  port: z.int().min(0).max(65_535).describe('Port for the gateway; 0 takes a free one.').default(8_479),
  tls: z
    .strictObject({
      certFile: path('PEM file of the certificate, with those between it and the authority.'),
      keyFile: path('PEM file of its key.'),
    })
    .describe('Serves HTTPS. Without it: plain HTTP.')
    .optional(),
  url: z
    .url({ protocol: /^https?$/u })
    .describe(
      'Where the gateway finds the steward, such as `https://steward.internal:8479`. Without it: on one machine the gateway is its own steward, on a cluster people are not told what was kept.',
    )
    .optional(),
  pollSeconds: z.int().min(1).max(3_600).describe('How often the steward looks for erasures.').default(5),
});
