/** How something stands, in five tones. Each has a shape of its own and stands beside its word: colour is never the only sign. */
export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'idle'

const shapes: Record<Tone, string> = {
  good: 'M3 8.5 6.5 12 13 4.5',
  warn: 'M8 2 15 14H1z M8 6.5v3.5 M8 12v.2',
  bad: 'M4 4l8 8M12 4l-8 8',
  busy: 'M3 8h10M9 4l4 4-4 4',
  idle: 'M4 8h8',
}

export function ToneMark({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`mark tone-${tone}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={shapes[tone]} />
    </svg>
  )
}
