/** What tests of gs sources share: a twin, an engine that talks to it, an environment without credentials. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { GsOptions } from '../../src/index.ts'
import { type Setting, setUp } from '../fault-matrix/setting.ts'
import { type GsServer, startGsServer } from './gs-server.ts'

export interface GsSetting extends Setting {
  readonly server: GsServer
  /** Options that lead to the twin. */
  gs(options?: GsOptions): GsOptions
  /** A file of JSON in the test's directory. */
  jsonFile(name: string, value: unknown): Promise<string>
}

/** The bucket `open` is for everybody, `closed` for who has a token. */
export async function setUpGs(): Promise<GsSetting> {
  const setting = await setUp()
  const server = await startGsServer()
  onTestFinished(() => server[Symbol.asyncDispose]())
  server.publicBuckets.add('open')
  for (const bucket of ['open', 'closed']) server.store.buckets.add(bucket)
  await withoutCredentials()
  return {
    ...setting,
    server,
    gs: options => ({ endpoint: server.endpoint, ...options }),
    async jsonFile(name, value) {
      await writeFile(setting.path(name), JSON.stringify(value))
      return setting.path(name)
    },
  }
}

/** Until the test ends; undefined: not set. */
export function environment(values: Readonly<Record<string, string | undefined>>): void {
  const before = Object.keys(values).map(name => [name, process.env[name]] as const)
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  for (const [name, value] of Object.entries(values)) set(name, value)
  onTestFinished(() => {
    for (const [name, value] of before) set(name, value)
  })
}

/** This machine's own credentials are nobody's business. */
async function withoutCredentials(): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'arriero-home-'))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  environment({
    CLOUDSDK_CONFIG: home,
    GOOGLE_APPLICATION_CREDENTIALS: undefined,
    STORAGE_EMULATOR_HOST: undefined,
    METADATA_SERVER_DETECTION: 'none',
    GCE_METADATA_HOST: undefined,
    GCE_METADATA_IP: undefined,
    K_SERVICE: undefined,
  })
}
