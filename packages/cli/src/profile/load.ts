import { type Context, warn } from '../context.ts'
import type { EngineDoor, Sample } from '../engine.ts'
import { ProgramError } from '../errors.ts'
import { printable } from '../text.ts'

/** The samples of a profile, of which there is at least one. */
export async function loadSamples(
  file: string,
  door: Pick<EngineDoor, 'readProfile'>,
  context: Context,
): Promise<readonly [Sample, ...Sample[]]> {
  const { samples, isCut } = await door.readProfile(file)
  if (isCut) warn(context, `${printable(file)} ends in the middle of a line, which is left out.`)
  if (!hasSamples(samples)) {
    throw new ProgramError('Usage', `The profile ${file} has no samples.`, {
      remedy: 'It is written by --profile, from the first interval on.',
    })
  }
  return samples
}

function hasSamples(samples: readonly Sample[]): samples is readonly [Sample, ...Sample[]] {
  return samples.length > 0
}
