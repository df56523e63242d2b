/**
 * How we log in: what was named for it first, then what is at hand, and each only if the server offers its method.
 *
 *     none      tells what the server offers (RFC 4252, 5.2)
 *     keys      named identities, the agent's, those of the configuration and the usual ones
 *     password  as a password, and as the answer to a question for one (keyboard-interactive)
 */
import { basename } from 'node:path'
import type { AnyAuthMethod, Prompt } from 'ssh2'
import { TransferError } from '../../errors.ts'
import { ChosenAgent } from './agent.ts'
import { type Identities, type Identity, readIdentities } from './identities.ts'
import type { SshSettings } from './settings.ts'

interface Attempt {
  /** For the message that nothing helped. */
  label(): string
  readonly method: 'none' | 'publickey' | 'password' | 'keyboard-interactive'
  readonly asked: AnyAuthMethod
}

export class Authentication {
  readonly #settings: SshSettings
  readonly #identities: Identities
  readonly #waiting: Attempt[]
  readonly #tried: Attempt[] = []
  /** What the server said that it takes, last time. */
  #offered: readonly string[] = []
  #isAgentLost = false

  private constructor(settings: SshSettings, identities: Identities) {
    this.#settings = settings
    this.#identities = identities
    this.#waiting = attemptsOf(settings, identities)
  }

  static async prepare(settings: SshSettings): Promise<Authentication> {
    return new Authentication(settings, await readIdentities(settings))
  }

  /** The next thing to try; false when there is none. `offered` is null before the first. */
  next(offered: readonly string[] | null): AnyAuthMethod | false {
    if (offered) this.#offered = offered
    for (;;) {
      const attempt = this.#waiting.shift()
      if (!attempt) return false
      if (attempt.method !== 'none' && offered && !offered.includes(attempt.method)) continue
      if (attempt.method !== 'none') this.#tried.push(attempt)
      return attempt.asked
    }
  }

  agentLost(): void {
    this.#isAgentLost = true
  }

  /** One line on what was tried and why that was all. Nothing secret is in it. */
  failure(): TransferError {
    const { user, uri } = this.#settings
    const tried = this.#tried.map(attempt => attempt.label())
    const what = tried.length > 0 ? `tried ${tried.join(', ')}` : 'there was nothing to try'
    const offers = this.#offered.length > 0 ? `; the server takes ${this.#offered.join(', ')}` : ''
    const left = [...this.#identities.skipped, ...(this.#isAgentLost ? ['the agent (it did not answer)'] : [])]
    const skipped = left.length > 0 ? `; left out ${left.join(', ')}` : ''
    return new TransferError('Denied', `Cannot log in to ${uri} as ${user}: ${what}${offers}${skipped}`, {
      url: uri,
      remedy: 'Check the user’s name and keys; --identity FILE names a private key.',
    })
  }
}

function attemptsOf(settings: SshSettings, { usable, publicKeys }: Identities): Attempt[] {
  const { user: username, agent, password, identities, isIdentitiesOnly } = settings
  const named = new Set(identities.filter(({ isExplicit }) => isExplicit).map(({ path }) => path))
  const byKey = ({ path, key }: Identity): Attempt => ({
    label: () => `publickey (${basename(path)})`,
    method: 'publickey',
    asked: { type: 'publickey', username, key },
  })
  const attempts: Attempt[] = [{ label: () => 'none', method: 'none', asked: { type: 'none', username } }]
  attempts.push(...usable.filter(({ path }) => named.has(path)).map(byKey))
  if (agent)
    attempts.push(byAgent(agent, username, key => !isIdentitiesOnly || publicKeys.some(one => one.equals(key))))
  attempts.push(...usable.filter(({ path }) => !named.has(path)).map(byKey))
  if (password === undefined) return attempts
  attempts.push({ label: () => 'password', method: 'password', asked: { type: 'password', username, password } })
  attempts.push({
    label: () => 'keyboard-interactive',
    method: 'keyboard-interactive',
    asked: { type: 'keyboard-interactive', username, prompt: answerer(password) },
  })
  return attempts
}

function byAgent(socketPath: string, username: string, isChosen: (key: Buffer) => boolean): Attempt {
  const agent = new ChosenAgent(socketPath, isChosen)
  return {
    label: () => (agent.offered === undefined ? 'agent' : `agent (${agent.offered} keys)`),
    method: 'publickey',
    asked: { type: 'agent', username, agent },
  }
}

/** Answers one hidden question with the password, once: other questions want something that we do not have. */
function answerer(password: string) {
  let isAnswered = false
  return (
    _name: string,
    _instructions: string,
    _lang: string,
    prompts: Prompt[],
    finish: (answers: string[]) => void,
  ) => {
    const isForPassword = prompts.length === 1 && prompts[0]?.echo !== true && !isAnswered
    if (isForPassword) isAnswered = true
    finish(isForPassword ? [password] : prompts.map(() => ''))
  }
}
