import { parseChecksum } from '@arriero/api'
import type { ComponentChildren } from 'preact'
import { CopyButton } from '../../components/copy-button.tsx'
import { State } from '../../components/state.tsx'
import type { FileAnswer } from './file.tsx'

/** What the bytes must give: as the sender said, and as this librarian reckoned. */
export function Digests({ file: { checksum, sha256, is_attested } }: Pick<FileAnswer, 'file'>) {
  const given = parseChecksum(checksum)
  return (
    <ul class="digests">
      <Digest name={`${given.function}, by its sender`} hex={given.hex}>
        {is_attested ? (
          <State tone="good" label="compared with what arrived" />
        ) : (
          <State tone="warn" label="not by its sender: reckoned when it arrived" />
        )}
      </Digest>
      {sha256 !== null && given.function !== 'sha256' && <Digest name="sha256, reckoned here" hex={sha256} />}
    </ul>
  )
}

interface DigestProps {
  readonly name: string
  readonly hex: string
  readonly children?: ComponentChildren
}

function Digest({ name, hex, children }: DigestProps) {
  return (
    <li>
      <span class="soft">{name}</span>
      <span class="digest">{hex}</span>
      <CopyButton text={hex} what={name.split(',', 1)[0]!} />
      {children}
    </li>
  )
}
