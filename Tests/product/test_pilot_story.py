"""From the first look at the site to a business that sells with several bots: a prospect, an admin and
an owner, each in a browser of their own, with and without scripts."""

import re
import time

import pytest

from running import call, wait_until
from test_accessibility import look
from test_team import PASSWORD, estars, totp

WIDE = {"width": 1280, "height": 900}


def press(page, action):
    """The button of the form that goes to an address ending so."""
    form = page.locator(f'form[action$="{action}"]')
    details = form.locator("xpath=ancestor::details")
    if details.count() and not details.first.get_attribute("open") == "":
        details.first.locator("summary").first.click()
    form.locator("button:not([name])").last.click()
    page.wait_for_load_state()


def fill(page, **fields):
    for name, value in fields.items():
        field = page.locator(f'main [name="{name}"]').first
        details = field.locator("xpath=ancestor::details")
        if details.count() and details.first.get_attribute("open") is None:
            details.first.locator("summary").first.click()
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        elif field.get_attribute("type") == "radio":
            page.locator(f'main [name="{name}"][value="{value}"]').check()
        else:
            field.fill(value)


def second_factor(page, product):
    """Sets one up and goes on with it."""
    page.goto(product.url + "/account/totp")
    fill(page, password=PASSWORD)
    press(page, "/account/totp")
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.content()).group(1)
    fill(page, code=totp(secret))
    press(page, "/account/totp/confirmation")
    assert len(re.findall(r"<li>([a-z2-7-]{19})</li>", page.content())) == 10


class Story:
    def __init__(self, product, chromium, scripts, number):
        self.product, self.number, self.scripts = product, number, scripts
        self.name = f"Ateliê {number}"
        self.slug = f"atelie-{number}"
        self.bot = f"atelie_{number}_bot"
        self.admin_email = f"admin{number}@estars.example"
        self.owner_email = f"dona{number}@atelie.example"
        self.contexts = [
            chromium.new_context(
                java_script_enabled=scripts, viewport=WIDE, locale="pt-BR") for _ in range(3)]
        self.prospect, self.admin, self.owner = [each.new_page() for each in self.contexts]

    def text(self, page):
        return page.locator("main").inner_text()

    def look(self, page, *paths):
        """By axe, at the page as it stands and at those of these addresses: once, as axe is a
        script."""
        if self.scripts:
            look(page)
            for path in paths:
                page.goto(self.product.url + path)
                look(page)

    def asks_in(self):
        page = self.prospect
        page.goto(self.product.url + "/pt-br")
        assert page.locator("html").get_attribute("lang") == "pt-BR"
        # The way from the landing page, over the answers, to the form.
        page.locator('main a[href="/pt-br/faq"]').first.click()
        assert page.url.endswith("/pt-br/faq")
        page.locator('a[href="/pt-br/pilot"]').first.click()
        fill(
            page, bot="@" + self.bot, segment="ai_bot", stars="12000", cost="R$ 0,15 por figurinha",
            contact=f"@dona_{self.number}", pain="Estornos <b>e planilhas</b>")
        self.look(page)
        # A form that comes back sooner was filled by a machine.
        time.sleep(3)
        press(page, "/pilot")
        assert "/applications/" in page.url, self.text(page)
        assert "Estornos <b>e planilhas</b>" in self.text(page)
        assert not self.contexts[0].cookies()

    def signs_in_as_admin(self):
        estars(
            self.product, "operator", "add", "--admin", "--email", self.admin_email, "--name",
            "Rita", "--locale", "pt-BR")
        page = self.admin
        page.goto(self.product.url + "/admin")
        fill(page, email=self.admin_email, password=PASSWORD)
        press(page, "/login")
        # Nothing is shown without the second factor.
        assert page.url.endswith("/account/totp")
        page.goto(self.product.url + "/admin/applications")
        assert page.url.endswith("/account/totp")
        second_factor(page, self.product)

    def approves(self):
        page = self.admin
        page.goto(self.product.url + "/admin")
        self.look(page, "/admin/applications?state=all", "/admin/invitation-codes", "/admin/gates",
                  "/admin/operators", "/admin/audit")
        page.goto(self.product.url + "/admin/applications")
        page.get_by_role("link", name=re.compile(self.bot)).first.click()
        assert "Estornos <b>e planilhas</b>" in self.text(page)
        fill(page, question="Quantas pessoas atendem?")
        press(page, "/question")
        self.prospect.reload()
        self.look(self.prospect)
        fill(self.prospect, body="Duas")
        press(self.prospect, "/answer")
        page.reload()
        assert "Duas" in self.text(page)
        fill(page, name=self.name, slug="admin")
        press(page, "/approval")
        assert page.locator('[name="slug"][aria-invalid="true"]').count() == 1, "a reserved name"
        self.look(page)
        fill(page, name=self.name, slug=self.slug)
        press(page, "/approval")
        self.invitation = re.search(r"http[^\s<\"]+/invitations/[\w-]+", page.content()).group()
        self.look(page)
        self.prospect.reload()
        assert "Estornos" in self.text(self.prospect)

    def joins(self):
        page = self.owner
        page.goto(self.invitation)
        self.look(page)
        fill(page, email=self.owner_email, name="Dona", password=PASSWORD, again=PASSWORD)
        press(page, self.invitation.rsplit("/", 1)[1])
        assert page.url.endswith(f"/w/{self.slug}")
        assert call("GET", self.invitation).status == 404
        second_factor(page, self.product)

    def steps(self):
        """Takes the first steps; each is done because of what there is now."""
        page, base = self.owner, f"{self.product.url}/w/{self.slug}"
        path = base + "/onboarding"
        page.goto(base)
        page.locator(f'a[href="/w/{self.slug}/onboarding"]').first.click()
        assert page.locator(".first-step").count() == 8
        self.look(page)
        page.goto(base + "/settings")
        self.look(page)
        fill(page, name=self.name + " Ltda", time_zone="America/Recife")
        press(page, "/settings")
        for side in (base, base + "-test"):
            page.goto(side + "/rates")
            press(page, "/rates")
        page.goto(path)
        press(page, "/onboarding/sandbox-bot")
        for step in ("packs", "actions"):
            page.goto(f"{path}/{step}")
            self.look(page)
            press(page, f"/onboarding/{step}")
        page.goto(path + "/key")
        press(page, "/onboarding/key")
        self.look(page)
        key = re.search(r"esk_test_[\w-]+", page.content()).group()
        answer = call(
            "GET", self.product.url + "/v1/catalog?user=8300001",
            headers={"Authorization": f"Bearer {key}"})
        assert answer.status == 200 and answer.json()["packs"]
        self.key, self.action = key, answer.json()["actions"][0]["action"]

    def drills(self):
        page = self.owner
        page.goto(f"{self.product.url}/w/{self.slug}-test/pilot")
        press(page, "/drill-runs")

        def is_over():
            page.goto(f"{self.product.url}/w/{self.slug}-test/pilot")
            # With scripts there is no noscript, so the page's own word for it counts.
            return page.locator("[data-look-again]").count() == 0

        wait_until(is_over, 180)
        assert page.locator('form[action$="/expansion-requests"]').count() == 1, self.text(page)
        self.look(page)
        page.locator('main a[href*="/drill-runs/"]').first.click()
        self.look(page)
        page.goto(f"{self.product.url}/w/{self.slug}/onboarding")
        assert page.locator(".first-step .state-good").count() == 8, self.text(page)

    def expands(self):
        page = self.owner
        page.goto(f"{self.product.url}/w/{self.slug}/pilot")
        fill(page, body="Mais dois bots em dezembro")
        press(page, "/expansion-requests")
        self.admin.goto(self.product.url + "/admin/workspaces")
        self.admin.get_by_role("link", name=re.compile(self.name)).first.click()
        self.business = self.admin.url
        self.look(self.admin, "/admin/workspaces", self.business.removeprefix(self.product.url))
        assert "Mais dois bots em dezembro" in self.text(self.admin)
        form = self.admin.locator('form[action*="/expansion-requests/"][action$="/approval"]')
        self.decide(form, "Ensaios limpos")
        page.reload()
        assert "Ensaios limpos" in self.text(page)

    def decide(self, form, reason):
        form.locator("xpath=ancestor::details").locator("summary").click()
        form.locator('[name="reason"]').fill(reason)
        form.locator("button").last.click()
        self.admin.wait_for_load_state()
        assert "/admin/workspaces/" in self.admin.url, self.text(self.admin)

    def check(self):
        return call(
            "POST", self.product.url + "/v1/checks", {"user": 8300001, "action": self.action},
            {"Authorization": f"Bearer {self.key}"})

    def is_suspended_and_resumed(self):
        page = self.owner
        self.admin.goto(self.business)
        self.decide(self.admin.locator('form[action$="/suspension"]'), "Reclamações em aberto")
        page.goto(f"{self.product.url}/w/{self.slug}")
        assert "Reclamações em aberto" in page.content()
        self.look(page)
        answer = wait_until(lambda: [a for a in [self.check()] if "suspended" in a.body.decode()])
        assert answer[0].status in (200, 503)
        self.admin.goto(self.business)
        self.decide(self.admin.locator('form[action$="/resumption"]'), "Resolvido")
        wait_until(lambda: "suspended" not in self.check().body.decode())
        page.goto(f"{self.product.url}/w/{self.slug}")
        assert "Reclamações em aberto" not in page.content()
        page.goto(f"{self.product.url}/w/{self.slug}/audit")
        assert "Rita" in page.content() or self.admin_email in page.content()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_from_the_first_look_to_several_bots(product, chromium, scripts):
    story = Story(product, chromium, scripts, 1 if scripts else 2)
    try:
        story.asks_in()
        story.signs_in_as_admin()
        story.approves()
        story.joins()
        story.steps()
        story.drills()
        story.expands()
        story.is_suspended_and_resumed()
    finally:
        for context in story.contexts:
            context.close()
