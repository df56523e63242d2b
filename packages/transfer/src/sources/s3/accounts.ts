import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Container } from './address.ts'
import { type Account, Bucket } from './bucket.ts'
import { CredentialKeeper, type LoadCredentials } from './credential-keeper.ts'
import type { S3Options } from './options.ts'
import { firstPlace } from './place.ts'
import { Sdk } from './sdk.ts'
import { type S3Settings, settingsOf } from './settings.ts'

/** What the S3 sources of one engine share: credentials, and what was learnt of each bucket. */
export class S3Accounts implements AsyncDisposable {
  readonly #accounts = new Map<string, OpenAccount>()
  /** Thousands of sources come with the very same options. */
  readonly #byOptions = new WeakMap<S3Options, OpenAccount>()
  readonly #providers = new WeakMap<object, number>()
  #lastProvider = 0

  /** The bucket as the holder of these options sees it. A promise only when the SDK must say which region it is in. */
  bucket(container: Container, options: S3Options, now: () => number): Bucket | Promise<Bucket> {
    return this.#account(options, now).bucket(container)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const account of this.#accounts.values()) account.close()
  }

  #account(options: S3Options, now: () => number): OpenAccount {
    const known = this.#byOptions.get(options)
    if (known) return known
    const environment = options.environment ?? process.env
    const settings = settingsOf(options, environment)
    const key = JSON.stringify([settings, this.#nameOf(settings.credentials), environment.AWS_PROFILE])
    const account = this.#accounts.get(key) ?? new OpenAccount(settings, environment, now)
    this.#accounts.set(key, account)
    this.#byOptions.set(options, account)
    return account
  }

  /** Functions have no text to be told apart by. */
  #nameOf(provider: unknown): number | undefined {
    if (typeof provider !== 'function') return undefined
    const known = this.#providers.get(provider)
    if (known !== undefined) return known
    this.#providers.set(provider, ++this.#lastProvider)
    return this.#lastProvider
  }
}

class OpenAccount implements Account {
  settings: S3Settings
  readonly keeper: CredentialKeeper
  readonly now: () => number
  skewMs = 0
  readonly #sdk: Sdk
  readonly #buckets = new Map<string, Bucket>()
  /** Somebody else may know the region: asked for once. */
  #askRegion: (() => Promise<string | undefined>) | undefined
  #asking: Promise<void> | undefined

  constructor(settings: S3Settings, environment: Readonly<Record<string, string | undefined>>, now: () => number) {
    const profile = settings.profile ?? environment.AWS_PROFILE
    this.settings = settings
    this.now = now
    this.#sdk = new Sdk(profile)
    this.keeper = new CredentialKeeper(this.#loaderFor(settings), now)
    const isUnknown = settings.region === undefined && settings.endpoint === undefined
    const asksSdk = settings.profile !== undefined || (!settings.anonymous && !settings.credentials)
    if (isUnknown && (asksSdk || hasConfig(environment))) this.#askRegion = () => this.#sdk.region()
  }

  bucket(container: Container): Bucket | Promise<Bucket> {
    const known = this.#buckets.get(container.name)
    if (known) return known
    if (this.#askRegion && !container.accessPoint) return this.#withRegion().then(() => this.#make(container))
    return this.#make(container)
  }

  close(): void {
    this.#sdk.close()
  }

  #make(container: Container): Bucket {
    const known = this.#buckets.get(container.name)
    if (known) return known
    const bucket = new Bucket(container, this, firstPlace(container, this.settings))
    this.#buckets.set(container.name, bucket)
    return bucket
  }

  async #withRegion(): Promise<void> {
    this.#asking ??= this.#askRegion?.().then(region => {
      this.settings = { ...this.settings, region }
      this.#askRegion = undefined
    })
    await this.#asking
  }

  #loaderFor({ anonymous, credentials }: S3Settings): LoadCredentials {
    if (anonymous) return async () => undefined
    if (typeof credentials === 'function') return credentials
    if (credentials) return async () => credentials
    return this.#sdk.credentials
  }
}

/** Whether a shared configuration file is there, whose default section may name a region. */
function hasConfig(environment: Readonly<Record<string, string | undefined>>): boolean {
  return existsSync(environment.AWS_CONFIG_FILE ?? join(homedir(), '.aws', 'config'))
}
