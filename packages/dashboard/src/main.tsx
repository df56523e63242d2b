/** Entry of the pages: everything is constructed here, once. */
import { render } from 'preact'
import { App } from './app.tsx'
import { createServices, ServicesContext } from './services.ts'
import { createTheme } from './theme/theme.ts'

const theme = createTheme({ storage: localStorage, root: document.documentElement })
const services = createServices({ window, theme })
void services.session.look()

render(
  <ServicesContext.Provider value={services}>
    <App />
  </ServicesContext.Provider>,
  document.getElementById('app')!,
)
