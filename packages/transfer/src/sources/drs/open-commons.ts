import { Api } from '../../commons/api.ts'
import { Commons } from '../../commons/commons.ts'
import type { CommonsOptions } from '../../commons/options.ts'
import type { SourceContext } from '../context.ts'

/** The commons of an engine, made when the first object is met. */
export function openCommons(context: SourceContext): Promise<Commons> {
  return context.shared('commons', () => new OpenedCommons(context)).opened
}

class OpenedCommons implements AsyncDisposable {
  readonly opened: Promise<Commons>

  constructor(context: SourceContext) {
    const api = new Api({ origins: context.origins, outside: context.outside().origins })
    this.opened = readCommonsOptions(context).then(options => new Commons(api, options))
    // Whoever waits for it hears of a failure.
    this.opened.catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const commons = await this.opened.catch(() => undefined)
    await commons?.[Symbol.asyncDispose]()
  }
}

async function readCommonsOptions({ options: { commons = {} } }: SourceContext): Promise<CommonsOptions> {
  return typeof commons === 'function' ? commons() : commons
}
