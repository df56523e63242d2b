import { TransferError } from '../errors.ts'
import type { Landing } from '../source.ts'
import { canDecode, pourDecoded } from './decode.ts'
import type { Exchange } from './general-lane.ts'
import type { Accepted } from './range-answer.ts'
import { type ReceiveOptions, receive } from './receive.ts'
import { createStoredCheck, decodedResource, isStoredCoded } from './stored-check.ts'

export interface ReceiveBodyOptions extends ReceiveOptions {
  /** A coded body is handed on as it was sent. */
  readonly keepsCoding: boolean | undefined
  /** The answer as its bytes will land. */
  answered(answer: Accepted): Landing
}

/** Pours a body where `answered` says, decoded if need be. A failure ends the request. */
export async function receiveBody(exchange: Exchange, verdict: Accepted, options: ReceiveBodyOptions): Promise<void> {
  const { uri } = options
  try {
    const coding = options.keepsCoding ? undefined : verdict.resource.contentEncoding
    if (coding === undefined) return await receive(exchange, verdict, options.answered(verdict), options)
    if (!canDecode(coding)) {
      throw new TransferError('Unsupported', `Cannot decode ${uri}: its coding is ${coding}`, { url: uri })
    }
    await receiveDecoded(exchange, verdict, coding, options)
  } catch (error) {
    exchange.cancel()
    throw error
  }
}

async function receiveDecoded(
  exchange: Exchange,
  verdict: Accepted,
  coding: string,
  { uri, signal, answered }: ReceiveBodyOptions,
): Promise<void> {
  const resource = decodedResource(verdict.resource, isStoredCoded(exchange.headers, coding))
  const { storedChecksums } = resource
  const check = storedChecksums && (await createStoredCheck(storedChecksums, verdict.bodyLength, uri))
  signal.throwIfAborted()
  await pourDecoded(exchange, coding, answered({ ...verdict, resource }), { uri, signal, check })
}
