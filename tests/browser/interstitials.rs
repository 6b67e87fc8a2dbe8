//! Pages that only a person can get past: sign-ins, challenges, captchas.

use super::rig::{Rig, says, text};

#[tokio::test]
async fn interstitials_are_recognized_by_address_and_content() {
    let rig = Rig::of_all_names().await;
    let page = rig.open("article.html").await;
    for (wall, what) in [
        ("http://consent.google.com/consent.html?continue=x", "consent"),
        ("http://consent.google.de/consent.html", "consent"),
        ("http://guce.yahoo.com/consent.html", "consent"),
        ("http://consent.yahoo.com/consent.html", "consent"),
        ("http://www.google.com/sorry/index?continue=x", "human"),
        ("http://shop.example/challenge.html", "human"),
        ("http://shop.example/captcha.html", "human"),
    ] {
        let error = page.fails("HUMAN_REQUIRED", &["navigate", wall]).await;
        says(&error, &[what, "resume the session"]);
        page.resume().await;
        // A tab that opens on one is open; what is asked of it next is answered so.
        let opened = rig.run(&["tab", "open", wall]).await.data();
        let session = text(&opened["session"]);
        assert_eq!(rig.run(&["text", "-s", &session]).await.error(), "HUMAN_REQUIRED", "{wall}");
        rig.run(&["session", "close", "-s", &session]).await.data();
    }
    for (ordinary, title) in [
        ("http://shop.example/consent.html", "Before you continue"),
        ("http://consentmanager.example/article.html", "The lighthouse keeper"),
        ("http://consent.google.com.example/consent.html", "Before you continue"),
        (
            "http://news.example/about-captchas.html?auth=1",
            "Verify you are human: a short history of the CAPTCHA",
        ),
        ("http://author.example/form.html?sorry", "Form"),
    ] {
        assert_eq!(page.data(&["navigate", ordinary]).await["title"], title, "{ordinary}");
        page.data(&["text"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn a_sign_in_at_another_host_is_for_the_person_however_it_was_reached() {
    let rig = Rig::of_all_names().await;
    let portal = "http://portal.example/portal";
    let page = rig.open("article.html").await;
    let error = page.fails("HUMAN_REQUIRED", &["navigate", portal]).await;
    says(&error, &["sign in", "login.microsoftonline.com"]);
    // The person has seen it: what to do there is agreed between the two.
    page.resume().await;
    assert_eq!(page.text("h1").await, "Sign in");

    let opened = rig.open_url(portal).await;
    let error = opened.fails("HUMAN_REQUIRED", &["text"]).await;
    says(&error, &["sign in", "login.microsoftonline.com"]);
    opened.resume().await;
    assert_eq!(opened.text("h1").await, "Sign in");

    for visit in [page, opened] {
        visit.data(&["session", "close"]).await;
    }

    // One that the person has dealt with before the first command is no wall any more.
    let opened = rig.open_url(portal).await;
    let seen = opened.page("login.microsoftonline.com").await;
    seen.go("http://portal.example/form.html").await;
    opened.data(&["wait", "--strategy", "url", "--target", "form.html"]).await;
    assert_eq!(opened.text("legend").await, "Size");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_challenge_pauses_its_session_until_the_person_resumes_it() {
    let rig = Rig::new().await;
    let other = rig.open("article.html").await;
    let page = rig.visit("challenge.html").await;
    let error = page.fails("HUMAN_REQUIRED", &["text"]).await;
    says(&error, &["human", "resume"]);
    // From now on the daemon refuses, with the same reason; what it does itself goes on.
    let again = page.fails("HUMAN_REQUIRED", &["click", "--selector", "#pass"]).await;
    says(&again, &["human"]);
    let forwarded = rig.daemon.records("forwarded");
    assert!(!forwarded.iter().any(|it| it["action"] == "click"), "{forwarded:?}");
    page.data(&["tab", "list"]).await;
    assert_eq!(other.text("h1").await, "The lighthouse keeper", "other sessions go on");

    page.page("challenge.html").await.click("#pass").await;
    page.resume().await;
    assert_eq!(page.text("h1").await, "Welcome");

    let error = page
        .fails(
            "HUMAN_REQUIRED",
            &["require-human", "--reason", "Choose a seat", "--for-attach", "plan.png"],
        )
        .await;
    says(&error, &["Choose a seat", "plan.png"]);
    page.resume().await;
    assert_eq!(page.text("h1").await, "Welcome");

    // Every command meets the wall.
    page.page("challenge.html").await.evaluate("location.reload()").await;
    page.data(&["wait", "--strategy", "url", "--target", "challenge"]).await;
    for command in [
        &["snapshot"][..],
        &["click", "--selector", "#pass"],
        &["navigate", &rig.site.url("challenge.html")],
    ] {
        page.fails("HUMAN_REQUIRED", command).await;
        page.resume().await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn a_sign_in_in_place_of_the_page_is_for_the_person_and_one_asked_for_is_not() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    let error = page.fails("HUMAN_REQUIRED", &["navigate", &rig.site.url("account")]).await;
    says(&error, &["sign in"]);
    page.resume().await;
    page.data(&["navigate", &rig.site.url("login.html")]).await;
    assert_eq!(page.text("h1").await, "Sign in");
    page.data(&["navigate", &rig.site.url("about-captchas.html?auth=1&login=now")]).await;
    assert_eq!(page.text("h1").await, "Just a moment: why sites ask");
    rig.browser.close().await;
}
