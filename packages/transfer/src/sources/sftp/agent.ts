import ssh2, { BaseAgent, createAgent, type ParsedKey, type SigningRequestOptions } from 'ssh2'

type GetIdentities = (error: Error | undefined | null, keys?: ParsedKey[]) => void
type Signed = (error: Error | undefined | null, signature?: Buffer) => void

/** An agent that offers only some of its keys, as `IdentitiesOnly` asks for, and counts what it offers. */
export class ChosenAgent extends BaseAgent<ParsedKey> {
  readonly #agent: BaseAgent
  readonly #isChosen: (publicKey: Buffer) => boolean
  /** Keys offered; undefined before the agent has answered. */
  offered: number | undefined

  constructor(socketPath: string, isChosen: (publicKey: Buffer) => boolean) {
    super()
    this.#agent = createAgent(socketPath)
    this.#isChosen = isChosen
  }

  override getIdentities(callback: GetIdentities): void {
    this.#agent.getIdentities((error: Error | undefined | null, keys: unknown) => {
      if (error) return callback(error)
      const parsed = ((keys ?? []) as (ParsedKey | Buffer | string)[]).map(key => ssh2.utils.parseKey(key as Buffer))
      const chosen = parsed.filter(
        (key): key is ParsedKey => !(key instanceof Error) && this.#isChosen(key.getPublicSSH()),
      )
      this.offered = chosen.length
      callback(undefined, chosen)
    })
  }

  override sign(key: ParsedKey, data: Buffer, options: SigningRequestOptions | Signed, callback?: Signed): void {
    if (typeof options === 'function') this.#agent.sign(key, data, {}, options)
    else this.#agent.sign(key, data, options, callback)
  }
}
