"""The section auth of a declaration: how the project's GoTrue behaves. What is secret there is in the vault."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from berth.sections import Section, switch, whole
from berth.values import ClientId, Line, MailAddress, MailHost, MailUser, RedirectUrl, SiteUrl, Unique, refuse

ProviderName = Literal[
    "apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly", "github", "gitlab", "google", "kakao",
    "keycloak", "linkedin_oidc", "notion", "slack_oidc", "snapchat", "spotify", "twitch", "twitter", "workos", "x",
    "zoom",
]  # fmt: skip

_URL = "a URL such as https://blog.example.com"
_LINE = "one line of at most 200 characters"


class Smtp(Section):
    """The mail server that GoTrue sends through; without a host it sends nothing."""

    host: MailHost | None = Field(None, description="a DNS name or an IP address such as smtp.example.com")
    port: int = whole(1, 65535, 587)
    user: MailUser | None = Field(None, description="a login of letters, digits and . _ + = @ / -")
    sender: MailAddress | None = Field(None, description="a mail address such as hello@example.com")
    sender_name: Line | None = Field(None, description=_LINE)
    seconds_between_mails: int = whole(1, 86_400, 60)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.host and not self.sender:
            raise refuse("auth.smtp.sender: missing, allowed: a mail address such as hello@example.com; add it")
        if not self.host and (self.user or self.sender):
            raise refuse("auth.smtp.host: missing, allowed: the mail server such as smtp.example.com; add it")
        return self


class Mail(Section):
    """One kind of mail; without values GoTrue's own."""

    subject: Line | None = Field(None, description=_LINE)
    template: SiteUrl | None = Field(None, description=_URL)


def _mail() -> Field:
    return Field(Mail(), description="a mapping")


class Mails(Section):
    """The mails of GoTrue."""

    confirmation: Mail = _mail()
    recovery: Mail = _mail()
    magic_link: Mail = _mail()
    invite: Mail = _mail()
    email_change: Mail = _mail()
    reauthentication: Mail = _mail()


class Provider(Section):
    """An application that was registered with an OAuth provider; its secret is in the vault."""

    client_id: ClientId = Field(description="the client id that the provider gave, of letters, digits and . _ : @ / -")
    url: SiteUrl | None = Field(None, description="the provider's URL such as https://id.example.com")
    skip_nonce_check: bool = switch(False)


class RateLimits(Section):
    """How often GoTrue lets things happen: mails by hour for all, the rest in five minutes by address of a client."""

    mails: int = whole(1, 1_000_000, 30)
    anonymous_users: int = whole(1, 1_000_000, 30)
    otp: int = whole(1, 1_000_000, 30)
    token_refresh: int = whole(1, 1_000_000, 150)
    verify: int = whole(1, 1_000_000, 30)


class Auth(Section):
    """How the project's GoTrue behaves."""

    site_url: SiteUrl | None = Field(None, description=_URL)
    email_autoconfirm: bool = switch(False)
    disable_signup: bool = switch(False)
    jwt_exp: int = whole(300, 604_800, 3600)
    redirect_urls: Annotated[list[RedirectUrl], Unique] = Field(
        [], description="a list of URLs such as [https://example.com/**]"
    )
    email: bool = switch(True)
    anonymous_users: bool = switch(False)
    password_min_length: int = whole(6, 72, 6)
    link_exp: int = whole(60, 604_800, 86_400)
    smtp: Smtp = Field(Smtp(), description="a mapping")
    mails: Mails = Field(Mails(), description="a mapping")
    providers: dict[ProviderName, Provider] = Field(
        {}, description="a mapping such as {github: {client_id: Iv1.8a61f9b3a7aba766}}"
    )
    rate_limits: RateLimits = Field(RateLimits(), description="a mapping")

    @model_validator(mode="after")
    def _keycloak_has_an_address(self) -> Self:
        if "keycloak" in self.providers and not self.providers["keycloak"].url:
            raise refuse(
                "auth.providers.keycloak.url: missing, allowed: the URL of the realm such as "
                "https://id.example.com/realms/blog; add it"
            )
        return self
