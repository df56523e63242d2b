/** Light or dark: as the system has it, unless somebody chose. The colours are in `styles/colours.css`. */
import { createStore, type Store } from '../state/store.ts'

export const themeChoices = ['system', 'light', 'dark'] as const

export type ThemeChoice = (typeof themeChoices)[number]

export interface Theme {
  readonly choice: Store<ThemeChoice>
  choose(choice: ThemeChoice): void
}

export interface ThemeOptions {
  readonly storage: Pick<Storage, 'getItem' | 'setItem'>
  readonly root: Pick<HTMLElement, 'dataset'>
}

const key = 'arriero.theme'

export function createTheme({ storage, root }: ThemeOptions): Theme {
  const stored = themeChoices.find(choice => choice === storage.getItem(key))
  const choice = createStore<ThemeChoice>(stored ?? 'system')
  const apply = () => {
    root.dataset.theme = choice.get()
  }
  apply()
  choice.subscribe(apply)
  return {
    choice,
    choose(next) {
      storage.setItem(key, next)
      choice.set(next)
    },
  }
}
