/** A small deployment that tests break, and what is told of it. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'vitest'
import { loadSettings, Secret, type Settings } from '../src/config.ts'
import type { DeploymentFinding } from '../src/deployment/finding.ts'
import { inspectDeployment } from '../src/deployment/inspect-deployment.ts'
import { silentLog } from '../src/log.ts'
import { prepare } from '../src/main.ts'

/** Of nobody who breaks off. */
export const signal = new AbortController().signal
export const key = randomBytes(32).toString('base64url')

/** Of a librarian whose places are in there: `files` and `staging` exist. */
export function settingsIn(folder: string, overrides: object = {}): Settings {
  const store_data = { store_path: join(folder, 'files'), staging_path: join(folder, 'staging'), reserve: 0 }
  const store = { store_name: 'files', store_type: 'local', ingestable: true, store_data, transfer_manager_data: {} }
  const values = { data_directory: folder, host: '127.0.0.1', port: 0, encryption_key: key, add_stores: [store] }
  return loadSettings({ env: {}, overrides: { ...values, ...overrides } })
}

const admin = { username: 'admin', password: new Secret('a password for tests only') }
export const make = (settings: Settings) => prepare({ settings, log: silentLog, admin })

export async function inspect(settings: Settings, url?: string, timeoutMs = 2000): Promise<DeploymentFinding[]> {
  return await Array.fromAsync(inspectDeployment({ settings, url, signal, timeoutMs }))
}

/** Of those that are not well: level, check, words; and each says what to do. */
export function broken(findings: readonly DeploymentFinding[]): string[] {
  const bad = findings.filter(({ level }) => level !== 'ok')
  for (const { found, next } of bad) expect(next, found).toMatch(/\w{3}/)
  return bad.map(({ check, level, found }) => `${level} ${check}: ${found}`)
}
