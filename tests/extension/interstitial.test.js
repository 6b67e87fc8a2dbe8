import assert from 'node:assert/strict';
import test from 'node:test';
import { open } from './support/page.js';

const { page } = open('');
const judge = (seen) =>
  page.judge({ host: 'shop.example', path: '/', title: '', text: 400, mark: false, content: false, ...seen });

/** What is in the way: [what, what is seen]. */
const INTERSTITIALS = [
  ['Cloudflare’s wait', { title: 'Just a moment...', text: 180, mark: true }],
  ['Cloudflare’s wait, with a real ellipsis', { title: 'Just a moment…', mark: true }],
  ['Cloudflare’s block with a challenge', { title: 'Attention Required! | Cloudflare', text: 700, mark: true }],
  ['a shop’s robot check', { title: 'Robot Check', mark: true }],
  ['a human verification', { title: 'Human Verification', mark: true }],
  ['a press-and-hold page', { title: 'Access to this page has been denied.', mark: true }],
  ['an interruption', { title: 'Pardon Our Interruption', mark: true }],
  ['a page with a challenge and nothing else, whatever its title', { title: 'shop.example', text: 40, mark: true }],
  [
    'Google’s unusual traffic',
    { host: 'www.google.com', path: '/sorry/index', title: 'https://www.google.com/search?q=x' },
  ],
  [
    'Google’s consent page',
    { host: 'consent.google.com', path: '/ml', title: 'Before you continue to Google Search', text: 2500 },
  ],
  [
    'Google’s consent page in a country',
    { host: 'consent.google.co.uk', path: '/ml', title: 'Before you continue', text: 2500 },
  ],
  [
    'YouTube’s consent page',
    { host: 'consent.youtube.com', path: '/m', title: 'Before you continue to YouTube', text: 2500 },
  ],
  [
    'Yahoo’s consent page',
    { host: 'guce.yahoo.com', path: '/consent', title: 'Yahoo is part of the Yahoo family of brands', text: 3000 },
  ],
];
/** What is an ordinary page. */
const PAGES = [
  ['an article about privacy', { title: 'Cookies, consent and your privacy', text: 9000, content: true }],
  ['an article about CAPTCHAs', { title: 'Are you human? A history of the CAPTCHA', text: 12000, content: true }],
  ['an article of the very title', { title: 'Just a moment...', text: 8000, content: true }],
  ['an article of the very title, that is short', { title: 'Robot check', text: 600 }],
  ['a sign-up form with a CAPTCHA widget', { title: 'Create your account', text: 900, mark: true, content: true }],
  ['a contact page with a CAPTCHA widget', { title: 'Contact us', text: 1200, mark: true }],
  ['a shop with a consent banner', { title: 'Shoes', text: 5000, content: true }],
  ['an address with auth in it', { host: 'author.example', path: '/authors/authentic', title: 'Authors', text: 3000 }],
  [
    'a consent company’s own site',
    { host: 'www.consentmanager.example', path: '/', title: 'Consent manager', text: 4000 },
  ],
  [
    'a host that begins like Google’s',
    { host: 'consent.google.com.example', path: '/', title: 'Before you continue', text: 900 },
  ],
  ['another one, with its path', { host: 'www.google.com.example', path: '/sorry/index', title: 'Sorry', text: 200 }],
  [
    'documentation of a challenge',
    {
      host: 'developers.cloudflare.com',
      path: '/turnstile/',
      title: 'Turnstile · Cloudflare docs',
      text: 6000,
      mark: true,
      content: true,
    },
  ],
  ['an empty page', { title: '', text: 0 }],
  ['an access page of another kind', { title: 'Access denied', text: 200 }],
];
for (const [what, seen] of INTERSTITIALS)
  test(`${what} needs a person`, () => assert.match(judge(seen), /resume the session/));
for (const [what, seen] of PAGES) test(`${what} does not need a person`, () => assert.equal(judge(seen), null));

test('a page in the way refuses every command, and runs none', () => {
  const { page: interstitial, window } = open(
    '<p>Checking</p><div class="cf-turnstile"></div><button id="b">x</button>',
  );
  window.document.title = 'Just a moment...';
  const { error } = interstitial.invoke('text', {});
  assert.equal(error.code, 'HUMAN_REQUIRED');
  assert.equal(interstitial.invoke('click', { target: { selector: '#b' } }).error.code, 'HUMAN_REQUIRED');
});

test('a challenge inside a form of fields is an ordinary page', () => {
  const { page: form } = open(`<form><input type="password"><div class="g-recaptcha"></div></form>`);
  assert.equal(form.interstitial(), null);
});

/** [asked for, came to, the page, whether it is an interstitial] */
const FIELD = '<input type="password">';
const SIGN_IN = [
  ['https://mail.example/inbox', 'https://mail.example/login?next=/inbox', FIELD, true],
  [
    'https://docs.google.com/document/d/1',
    'https://accounts.google.com/v3/signin/identifier',
    '<input type="email" name="identifier">',
    true,
  ],
  [
    'https://portal.example/',
    'https://login.microsoftonline.com/common/oauth2/authorize',
    '<input autocomplete="username">',
    true,
  ],
  ['https://mail.example/login', 'https://mail.example/login?lang=en', FIELD, false],
  ['https://mail.example/inbox', 'https://mail.example/inbox/', FIELD, false],
  ['https://blog.example/a', 'https://blog.example/posts/how-to-log-in-safely-today', FIELD, false],
  ['https://blog.example/a', 'https://blog.example/authors/ann', FIELD, false],
  ['https://news.example/', 'https://news.example/login-free-articles', '<p>No field</p>', false],
  ['https://shop.example/', 'https://shop.example/signin', `<p>${'word '.repeat(1000)}</p>${FIELD}`, false],
];
for (const [asked, came, html, interstitial] of SIGN_IN) {
  test(`asked for ${asked}, at ${came} (${html.slice(0, 30)}): ${interstitial ? 'a sign-in interstitial' : 'an ordinary page'}`, () => {
    const opened = open(html, '<!doctype html>', came);
    opened.window.Element.prototype.getBoundingClientRect = () => ({ width: 10, height: 10 });
    assert.equal(
      opened.page.invoke('sign-in-interstitial', { asked, defer: false }).data.reason !== null,
      interstitial,
    );
  });
}
