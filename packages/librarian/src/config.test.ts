import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { settingsKeys } from './config/schema.ts'
import { loadSettings, type Settings } from './config.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'settings-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(name: string, content: unknown, mode = 0o600): string {
  const path = join(directory, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  chmodSync(path, mode)
  return path
}

function load(content: object, env: Record<string, string> = {}): Settings {
  return loadSettings({ env: { LIBRARIAN_CONFIG_PATH: write('librarian.json', content), ...env } })
}

const store = {
  store_name: 'main',
  ingestable: 'yes',
  store_type: 'local',
  store_data: { staging_path: '/s', store_path: '/f', report_full_fraction: 0.9 },
  transfer_manager_data: { local: { available: 'true', hostnames: ['h'] } },
}

describe('loadSettings()', () => {
  test('has the defaults of existing servers, but for publishing the API’s description', () => {
    expect(loadSettings({ env: {} })).toMatchObject({
      name: 'librarian_server',
      debug: false,
      encryptionKey: undefined,
      catalogue: { engine: 'sqlite', path: join(process.cwd(), 'catalogue.db') },
      displayedSiteName: 'Untitled Librarian',
      displayedSiteDescription: 'No description set.',
      host: '0.0.0.0',
      port: 8080,
      addStores: [],
      maxSearchResults: 64,
      maximalUploadSize: 50_000_000_000,
      maxAsyncSendRetries: 3,
      maxAsyncInflightTransfers: 64,
      checksumThreads: 4,
      checksumTimeoutMs: 86_400_000,
      globus: { enable: false, clientId: '', nativeApp: false, localEndpointId: '', encryptTransfers: true },
      rsync: { hosts: {} },
      log: { files: {}, slackEnabled: false, slackLevel: 'ERROR' },
      role: 'all',
      ingest: {
        hosts: [],
        ports: [443],
        schemes: ['https'],
        networks: [],
        credentials: {},
        itemsAtOnce: 8,
        jobsAtOnce: 2,
      },
      warnings: [],
    })
  })

  test('adds a password that has a file of its own to a URL without one, and refuses two', () => {
    const database_password_file = write('password', 'p@ss:w/rd\n')
    const url = 'postgres://me@db:5433/lib?sslmode=require'
    const { catalogue } = load({ catalogue: url, database_password_file })
    expect(catalogue.engine === 'postgres' && catalogue.url.reveal()).toBe(
      'postgres://me:p%40ss%3Aw%2Frd@db:5433/lib?sslmode=require',
    )
    expect(() => load({ catalogue: 'postgres://me:mine@db/lib', database_password_file })).toThrow(/keep one/)
  })

  test('names the setting of a secret that cannot be read', () => {
    const directory = { encryption_key_file: '.' }
    expect(() => load(directory)).toThrow(/encryption_key_file: .*EISDIR/)
  })

  test('reads every key of an existing file', () => {
    const settings = load({
      name: 'here',
      debug: 'on',
      encryption_key: 'k',
      database_driver: 'postgresql+psycopg',
      database_user: 'us er',
      database_password: 'p@ss:w/rd',
      database_host: 'db',
      database_port: '5433',
      database: 'lib',
      log_level: 'WARNING',
      displayed_site_name: 'Site',
      displayed_site_description: 'Words',
      host: '127.0.0.1',
      port: '9000',
      add_stores: [store],
      alembic_config_path: '.',
      alembic_path: 'alembic',
      max_search_results: 100,
      maximal_upload_size_bytes: 10.0,
      max_async_send_retries: 1,
      max_async_inflight_transfers: 2,
      log_settings: { slack_webhook_level: 'WARNING' },
      globus_enable: true,
      globus_client_id: 'c',
      globus_client_native_app: 1,
      globus_local_endpoint_id: 'e',
      globus_local_root: '/g',
      globus_encrypt_transfers: 0,
      globus_client_secret: 'gs',
      checksum_threads: 8,
      checksum_timeout: '2 days, 01:00:00',
    })
    expect(settings).toMatchObject({
      name: 'here',
      debug: true,
      logLevel: 'warn',
      host: '127.0.0.1',
      port: 9000,
      maxSearchResults: 100,
      maximalUploadSize: 10,
      globus: { enable: true, clientId: 'c', nativeApp: true, localRoot: '/g', encryptTransfers: false },
      checksumThreads: 8,
      checksumTimeoutMs: 49 * 3600 * 1000,
      addStores: [{ name: 'main', ingestable: true, type: 'local', data: { name: 'main', report_full_fraction: 0.9 } }],
    })
    if (settings.catalogue.engine !== 'postgres') throw new Error('not postgres')
    expect(settings.catalogue.url.reveal()).toBe('postgres://us%20er:p%40ss%3Aw%2Frd@db:5433/lib')
    expect(settings.globus.clientSecret?.reveal()).toBe('gs')
  })

  test('no secret can be printed', () => {
    const settings = load({
      encryption_key: 'KEY-1',
      database_password: 'KEY-2',
      database_driver: 'postgresql',
      globus_client_secret: 'KEY-3',
    })
    for (const shown of [JSON.stringify(settings), inspect(settings, { depth: 9 }), `${settings.encryptionKey}`]) {
      expect(shown).not.toContain('KEY-')
      expect(shown).toContain('***')
    }
  })

  test('the file beats the environment, which beats the defaults; names are in any case', () => {
    const env = {
      librarian_server_name: 'from-env',
      LIBRARIAN_SERVER_PORT: '81',
      Librarian_Server_Add_Stores: JSON.stringify([store]),
    }
    const settings = load({ name: 'from-file' }, env)
    expect([settings.name, settings.port, settings.addStores[0]?.name]).toEqual(['from-file', 81, 'main'])
  })

  test('every single-valued key can come from the environment', () => {
    const samples: Record<string, string> = {
      port: '1',
      role: 'api',
      checksum_timeout: 'PT2H',
      database_port: '2',
      log_level: 'info',
      debug: 'no',
      database_driver: 'sqlite',
      catalogue: 'sqlite:x',
    }
    for (const key of settingsKeys) {
      if (
        [
          'add_stores',
          'log_settings',
          'ingest',
          'deletion',
          'backups',
          'rsync',
          'limits',
          'trusted_proxies',
          'background',
        ].includes(key)
      )
        continue
      if (key.endsWith('_file')) continue
      const env = { [`LIBRARIAN_SERVER_${key.toUpperCase()}`]: samples[key] ?? '1' }
      expect(() => loadSettings({ env }), key).not.toThrow()
    }
  })

  test('a variable that must be JSON and is not is named, but not quoted', () => {
    const env = { LIBRARIAN_SERVER_LOG_SETTINGS: '{"slack_webhook_url": "https://hooks/SECRET' }
    expect(() => loadSettings({ env })).toThrow(/LIBRARIAN_SERVER_LOG_SETTINGS.*JSON/)
    expect(() => loadSettings({ env })).not.toThrow(/SECRET/)
  })

  test('an unknown key of the file is refused, an unknown variable told', () => {
    expect(() => load({ nmae: 'x' })).toThrow(/librarian\.json: unknown: nmae/)
    expect(loadSettings({ env: { LIBRARIAN_SERVER_NMAE: 'x' } }).warnings).toEqual([
      expect.stringContaining('LIBRARIAN_SERVER_NMAE'),
    ])
  })

  test('a broken file is not quoted', () => {
    const path = write('librarian.json', '{"encryption_key": "SECRET" oops')
    expect(() => loadSettings({ env: { LIBRARIAN_CONFIG_PATH: path } })).toThrow(/must be JSON/)
    expect(() => loadSettings({ env: { LIBRARIAN_CONFIG_PATH: path } })).not.toThrow(/SECRET/)
  })

  test('a file that only the environment names need not be there; one that was asked for must', () => {
    const path = join(directory, 'none.json')
    expect(loadSettings({ env: { LIBRARIAN_CONFIG_PATH: path } }).name).toBe('librarian_server')
    expect(() => loadSettings({ env: {}, path })).toThrow(/no file/)
  })

  test.each(['encryption_key', 'database_password', 'globus_client_secret'])(
    '%s_file wins over the key, without the blanks around it',
    key => {
      const file = write('secret', '  from-file\n')
      const settings = load({ [key]: 'inline', [`${key}_file`]: file, database_driver: 'postgresql', database: 'd' })
      const found = {
        encryption_key: settings.encryptionKey?.reveal(),
        globus_client_secret: settings.globus.clientSecret?.reveal(),
        database_password:
          settings.catalogue.engine === 'postgres' && new URL(settings.catalogue.url.reveal()).password,
      }
      expect(found).toHaveProperty(key, 'from-file')
    },
  )

  test.each([
    [{ encryption_key: 'x' }],
    [{ database_password: 'x' }],
    [{ globus_client_secret: 'x' }],
    [{ log_settings: { slack_webhook_url: 'https://x' } }],
    [{ catalogue: 'postgres://u:p@h/d' }],
  ])('a world-readable file with secrets is refused with the command to run: %j', content => {
    const path = write('librarian.json', content, 0o644)
    expect(() => loadSettings({ env: { LIBRARIAN_CONFIG_PATH: path } })).toThrow(
      expect.objectContaining({ code: 'Configuration', remedy: `Run: chmod o-rwx '${path}'` }),
    )
    chmodSync(path, 0o640)
    expect(() => loadSettings({ env: { LIBRARIAN_CONFIG_PATH: path } })).not.toThrow()
  })

  test('a world-readable file without secrets is fine, a world-readable secret file is not', () => {
    const secret = write('key', 'x', 0o644)
    const path = write('librarian.json', { encryption_key_file: secret }, 0o644)
    expect(() => loadSettings({ env: { LIBRARIAN_CONFIG_PATH: path } })).toThrow(/everybody/)
    chmodSync(secret, 0o600)
    expect(() => loadSettings({ env: { LIBRARIAN_CONFIG_PATH: path } })).not.toThrow()
  })

  test('machines for rsync: files of keys are absolute, what is misspelt is refused', () => {
    const { rsync, dataDirectory } = load({
      rsync: { hosts: { far: { port: 2222, identity_file: 'keys/id' }, near: {} } },
    })
    expect(rsync.hosts.far).toMatchObject({ port: 2222, identityFile: join(dataDirectory, 'keys/id') })
    expect(Object.keys(rsync.hosts)).toEqual(['far', 'near'])
    expect(() => load({ rsync: { hosts: { far: { password: 'x' } } } })).toThrow(/rsync\.hosts\.far/)
  })

  test('stores: the documented spelling works, unknown keys are told and left out, names are unique', () => {
    const documented = { ...store, asynchronous_transfer_manager_data: { local: { hostnames: ['h'] } }, colour: 'red' }
    const { addStores, warnings } = load({ add_stores: [documented] })
    expect(addStores[0]?.asyncTransferManagers).toEqual({ local: { hostnames: ['h'] } })
    expect(warnings).toEqual([expect.stringContaining('add_stores[0]: colour')])
    expect(() => load({ add_stores: [store, store] })).toThrow(/only once/)
    expect(() => load({ add_stores: [{ ...store, store_type: 'tape' }] })).toThrow(/add_stores\[0\]: store_type/)
  })

  test('arriero.yaml: the same keys and ours; paths are relative to it', () => {
    const path = write(
      'arriero.yaml',
      `name: here\ncatalogue: sqlite:c/catalogue.db\nrole: api\ningest:\n  hosts: [data.example.org]\n`,
    )
    expect(loadSettings({ env: {}, path })).toMatchObject({
      name: 'here',
      role: 'api',
      dataDirectory: directory,
      catalogue: { engine: 'sqlite', path: join(directory, 'c/catalogue.db') },
      ingest: { hosts: ['data.example.org'], ports: [443] },
    })
  })

  test('two databases are refused, and what is none', () => {
    expect(() => load({ catalogue: 'sqlite:a', database: 'b' })).toThrow(/both/)
    expect(() => load({ catalogue: 'mysql://u:SECRET@h/d' })).toThrow(/sqlite:PATH or postgres/)
    expect(() => load({ catalogue: 'mysql://u:SECRET@h/d' })).not.toThrow(/SECRET/)
    expect(() => load({ database_driver: 'mysql' })).toThrow(/mysql/)
  })

  test('the command line beats all', () => {
    expect(loadSettings({ env: { LIBRARIAN_SERVER_PORT: '1' }, overrides: { port: 0 } }).port).toBe(0)
  })
})

describe('background settings', () => {
  const every = { task_name: 't', every: '01:00:00' }
  const background = (content: object, env: Record<string, string> = {}) =>
    loadSettings({ env: { LIBRARIAN_BACKGROUND_CONFIG: write('background.json', content), ...env } }).background

  test('are read with their durations and policies; both spellings of receiving', () => {
    expect(background({ receive_clone: [{ ...every, deletion_policy: 'ALLOWED' }] }).recieve_clone).toEqual([
      { task_name: 't', every: 3_600_000, soft_timeout: null, deletion_policy: 1, files_per_run: 1024 },
    ])
    expect(
      background({ check_integrity: [{ ...every, every: '7d', age_in_days: 7, store_name: 's', extra: 1 }] })
        .check_integrity,
    ).toEqual([{ task_name: 't', every: 604_800_000, soft_timeout: null, age_in_days: 7, store_name: 's' }])
    expect(background({}, { LIBRARIAN_BACKGROUND_CONSUME_QUEUE: JSON.stringify([every]) }).consume_queue).toHaveLength(
      1,
    )
  })

  test('have kinds of ours beside them', () => {
    const { scrub, tier, repair } = background({
      scrub: [
        { ...every, store_name: 's' },
        { ...every, store_name: 's', period: '7 days', bytes_per_second: 1e6 },
      ],
      tier: [{ ...every, from_store: 'fast', to_store: 'slow', age_in_days: 0.5 }],
      repair: [every],
    })
    const day = 86_400_000
    expect(scrub.map(({ period, bytes_per_second }) => [period, bytes_per_second])).toEqual([
      [21 * day, null],
      [7 * day, 1e6],
    ])
    expect(tier).toMatchObject([{ from_store: 'fast', to_store: 'slow', age_in_days: 0.5, files_per_run: 1024 }])
    expect(repair).toHaveLength(1)
    expect(() => background({ scrub: [{ ...every, store_name: 's', period: 0 }] })).toThrow(/scrub\.0\.period/)
  })

  test('refuse unknown tasks, missing fields and twins', () => {
    expect(() => background({ check_everything: [] })).toThrow(/unknown: check_everything/)
    expect(() => background({ send_clone: [every] })).toThrow(/send_clone\.0\.destination_librarian/)
    expect(() => background({ recieve_clone: [], receive_clone: [] })).toThrow(/both/)
    expect(() => background({ consume_queue: [{ ...every, every: '90' }] })).toThrow(/duration/)
  })
})
