/** Writes the examples of each GOV.UK component into one page, as the package gives them: `node govuk.js FOLDER`. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const components = new URL('node_modules/govuk-frontend/dist/govuk/components/', import.meta.url);
const names = readdirSync(components, { withFileTypes: true }).filter((it) => it.isDirectory());
const examples = names
  .sort((a, b) => (a.name < b.name ? -1 : 1))
  .flatMap(({ name }) => {
    const { fixtures } = JSON.parse(readFileSync(new URL(`${name}/fixtures.json`, components), 'utf8'));
    return fixtures.filter(({ hidden }) => !hidden).map(({ html }) => html);
  });
writeFileSync(
  `${process.argv[2]}/govuk.html`,
  `<!doctype html>
<html lang="en" class="govuk-template">
  <head>
    <meta charset="utf-8"><title>GOV.UK components</title>
    <link rel="stylesheet" href="npm/govuk-frontend/dist/govuk/govuk-frontend.min.css">
  </head>
  <body class="govuk-template__body js-enabled govuk-frontend-supported">
    <main class="govuk-main-wrapper">${examples.join('\n')}</main>
    <script type="module">
      import { initAll } from './npm/govuk-frontend/dist/govuk/govuk-frontend.min.js';
      initAll();
    </script>
  </body>
</html>
`,
);
