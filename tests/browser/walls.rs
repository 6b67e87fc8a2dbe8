//! Pages that only a person can get past.

use super::rig::{Rig, says};

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
    page.data(&["session", "resume"]).await;
    assert_eq!(page.text("h1").await, "Welcome");

    let error = page
        .fails(
            "HUMAN_REQUIRED",
            &["require-human", "--reason", "Choose a seat", "--for-attach", "plan.png"],
        )
        .await;
    says(&error, &["Choose a seat", "plan.png"]);
    page.data(&["session", "resume"]).await;
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
        page.data(&["session", "resume"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn a_sign_in_in_place_of_the_page_is_for_the_person_and_one_asked_for_is_not() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    let error = page.fails("HUMAN_REQUIRED", &["navigate", &rig.site.url("account")]).await;
    says(&error, &["sign in"]);
    page.data(&["session", "resume"]).await;
    page.data(&["navigate", &rig.site.url("login.html")]).await;
    assert_eq!(page.text("h1").await, "Sign in");
    page.data(&["navigate", &rig.site.url("about-captchas.html?auth=1&login=now")]).await;
    assert_eq!(page.text("h1").await, "Just a moment: why sites ask");
    rig.browser.close().await;
}
