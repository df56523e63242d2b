/** The part of the compose specification that we use, and nothing beyond: a misspelled key is refused. */
import { z } from 'zod'
import { pinned } from './files.ts'

const seconds = z.string().regex(/^\d+(ms|s|m|h)$/)
const condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully'])
const words = z.array(z.string())
const resources = z.strictObject({
  cpus: z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .optional(),
  memory: z.string().regex(/^\d+[bkmg]$/),
  pids: z.int().positive().optional(),
})

const service = z.strictObject({
  image: z.string().regex(pinned),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  restart: z.enum(['no', 'unless-stopped', 'on-failure', 'always']),
  user: z.string().regex(/^[1-9]\d*:[1-9]\d*$/),
  group_add: words.optional(),
  // These are demanded of every container.
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  tmpfs: words,
  shm_size: z.string().optional(),
  entrypoint: words.optional(),
  command: words.optional(),
  environment: z.record(z.string(), z.string()).optional(),
  volumes: words.default([]),
  secrets: words.default([]),
  networks: z.union([words, z.record(z.string(), z.strictObject({ ipv4_address: z.ipv4().optional() }))]),
  ports: z.array(z.string().regex(/^\d+:\d+$/)).optional(),
  ulimits: z.strictObject({ nofile: z.int().positive() }).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition, restart: z.boolean().optional() })).optional(),
  stop_signal: z.string().optional(),
  stop_grace_period: seconds.optional(),
  healthcheck: z
    .union([
      z.strictObject({ disable: z.literal(true) }),
      z.strictObject({
        test: z.tuple([z.literal('CMD')], z.string()),
        interval: seconds,
        timeout: seconds,
        retries: z.int().positive(),
        start_period: seconds,
      }),
    ])
    .optional(),
  deploy: z.strictObject({
    resources: z.strictObject({ limits: resources, reservations: resources.optional() }),
  }),
  logging: z.strictObject({ driver: z.string(), options: z.record(z.string(), z.string()) }),
})

const empty = z.strictObject({})
const network = z.strictObject({
  internal: z.boolean().optional(),
  ipam: z.strictObject({ config: z.array(z.strictObject({ subnet: z.string() })) }).optional(),
})

export const composeSchema = z.strictObject({
  name: z.string(),
  // Anchors are kept below such keys.
  'x-log': z.unknown(),
  'x-arriero': z.unknown(),
  'x-api': z.unknown(),
  'x-worker': z.unknown(),
  services: z.record(z.string(), service),
  networks: z.record(z.string(), network),
  volumes: z.record(z.string(), empty),
  secrets: z.record(z.string(), z.strictObject({ file: z.string().startsWith('./secrets/') })),
})

export type Compose = z.output<typeof composeSchema>
export type Service = Compose['services'][string]
