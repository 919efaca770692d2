//! Many renders at once: no more helm processes than allowed, and nothing left of those that are killed. A script
//! replaces helm and logs its start and its end.

use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::sent::{CONFIG, Sent, text};

/// A helm that logs its start and its end, and takes a while.
fn slow(seconds: &str) -> Sent {
    Sent::new().helm(&format!(
        "cd ../../../..\necho \"+ $$ $ARGOCD_APP_REVISION\" >> log\nsleep {seconds}\necho \"- $$\" >> log\ncat <<'END'\n{CONFIG}END"
    ))
}

/// A helm that hangs.
fn hanging() -> Sent {
    Sent::new().helm("echo \"+ $$\" >> ../../../../log\nexec sleep 1000")
}

fn spawn(sent: &Sent, variables: &[(&str, &str)]) -> Child {
    let mut command = sent.command("generate");
    // As Argo CD starts it: the first of its own process group.
    command.process_group(0).envs(variables.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn log(sent: &Sent) -> Vec<String> {
    let log = fs::read_to_string(sent.place("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

/// Waits until a condition holds, with a limit so that a failure ends.
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not come about");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn begun(sent: &Sent) -> Vec<String> {
    let lines = log(sent).into_iter();
    lines
        .filter_map(|line| Some(line.strip_prefix("+ ")?.split(' ').next()?.to_owned()))
        .collect()
}

fn signal(name: &str, whom: &str) {
    // What is gone already is an error of no interest here.
    let _ = Command::new("/bin/sh")
        .args(["-c", &format!("kill -{name} {whom}")])
        .stderr(Stdio::null())
        .status();
}

fn is_alive(process: &str) -> bool {
    // A zombie has no command line.
    fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
fn no_more_helms_than_allowed_run_at_once_and_all_of_them_run() {
    let sent = slow("0.05");
    let children: Vec<_> = (0..24).map(|_| spawn(&sent, &[("HOMELAB_MAX_HELM", "3")])).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stdout), CONFIG, "{}", text(&output.stderr));
    }
    let (mut now, mut most) = (0, 0);
    for line in log(&sent) {
        now = if line.starts_with('+') { now + 1 } else { now - 1 };
        most = most.max(now);
    }
    assert_eq!((now, most, begun(&sent).len()), (0, 3, 24));
    assert!(sent.left().is_empty(), "{:?}", sent.left());
}

#[test]
fn renders_start_in_the_order_of_their_arrival() {
    let sent = slow("1");
    let waiting = |children: &[Child]| {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        let waits = |child: &Child| {
            let mut waiting = locks.lines().filter(|line| line.contains(" -> "));
            waiting.any(|line| line.contains(&format!(" {} ", child.id())))
        };
        children.iter().all(waits)
    };
    let mut children = vec![spawn(&sent, &[("HOMELAB_MAX_HELM", "1"), ("ARGOCD_APP_REVISION", "0")])];
    wait_for("the first helm", || !begun(&sent).is_empty());
    for number in 1..6 {
        children.push(spawn(
            &sent,
            &[("HOMELAB_MAX_HELM", "1"), ("ARGOCD_APP_REVISION", &number.to_string())],
        ));
        // The one behind the running one looks for a slot; those behind it wait for its lock.
        let children = &children;
        wait_for("its place in the queue", || number < 2 || waiting(&children[2..]));
        if number == 1 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let order: Vec<String> = log(&sent)
        .iter()
        .filter(|line| line.starts_with('+'))
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(order, ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn waiting_ends_at_the_deadline_with_one_line() {
    let sent = hanging();
    let mut holder = spawn(&sent, &[("HOMELAB_MAX_HELM", "1")]);
    wait_for("a helm that hangs", || !begun(&sent).is_empty());
    // One looks for a slot, the other waits behind it.
    let waiting: Vec<_> = (0..2)
        .map(|_| spawn(&sent, &[("HOMELAB_MAX_HELM", "1"), ("HOMELAB_HELM_TIMEOUT", "0.4")]))
        .collect();
    for child in waiting {
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            text(&output.stderr),
            "helm could not be started within 0.4 s: 1 at a time may run, and others came first (allow more of them with `HOMELAB_MAX_HELM`, or give the plugin more processors)\n"
        );
        assert_eq!((text(&output.stdout), output.status.code()), ("", Some(3)));
    }
    assert_eq!(begun(&sent).len(), 1);
    signal("TERM", &holder.id().to_string());
    holder.wait().unwrap();
}

#[test]
fn an_invalid_limit_is_reported() {
    let sent = slow("0");
    for number in ["0", "many", "-1", ""] {
        assert_eq!(
            sent.failure(&sent.generate(&[("HOMELAB_MAX_HELM", number)])),
            format!("`HOMELAB_MAX_HELM` is `{number}`, which is not a number of processes (write 1 or more)")
        );
    }
}

#[test]
fn a_signal_to_end_leaves_no_process_and_no_file_and_prints_nothing() {
    for (name, number, to_group) in [("TERM", 15, false), ("TERM", 15, true), ("INT", 2, false)] {
        let sent = hanging();
        let child = spawn(
            &sent,
            &[("ARGOCD_APP_PARAMETERS", r#"[{"name":"values","string":"a: b"}]"#)],
        );
        wait_for("a helm that hangs", || !begun(&sent).is_empty());
        assert_ne!(sent.left(), Vec::<String>::new(), "helm has files");
        let group = if to_group { "-" } else { "" };
        signal(name, &format!("{group}{}", child.id()));
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            output.status.signal(),
            Some(number),
            "whoever sent it sees what it asked for"
        );
        assert_eq!(text(&output.stdout), "");
        assert_eq!(sent.left(), Vec::<String>::new());
        wait_for("the end of helm", || !is_alive(&begun(&sent)[0]));
    }
}

#[test]
fn a_signal_to_end_stops_waiting_plugins() {
    let sent = hanging();
    let holder = spawn(&sent, &[("HOMELAB_MAX_HELM", "1")]);
    wait_for("a helm that hangs", || !begun(&sent).is_empty());
    let waiting: Vec<_> = (0..3).map(|_| spawn(&sent, &[("HOMELAB_MAX_HELM", "1")])).collect();
    std::thread::sleep(Duration::from_millis(200));
    for child in waiting.into_iter().chain([holder]) {
        signal("TERM", &child.id().to_string());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.signal(), text(&output.stdout)), (Some(15), ""));
    }
    assert_eq!(sent.left(), Vec::<String>::new());
}

#[test]
fn what_argo_cd_kills_at_its_deadline_is_gone_and_frees_its_slot() {
    let sent = hanging();
    let mut child = spawn(&sent, &[("HOMELAB_MAX_HELM", "1")]);
    wait_for("a helm that hangs", || !begun(&sent).is_empty());
    // The plugin at once, its process group first gently, then not.
    signal("KILL", &child.id().to_string());
    signal("TERM", &format!("-{}", child.id()));
    signal("KILL", &format!("-{}", child.id()));
    child.wait().unwrap();
    wait_for("the end of helm", || !is_alive(&begun(&sent)[0]));
    let quick = sent.helm(&format!("cat <<'END'\n{CONFIG}END"));
    let output = quick.generate(&[("HOMELAB_MAX_HELM", "1")]);
    assert_eq!(text(&output.stdout), CONFIG, "{}", text(&output.stderr));
    assert_eq!(
        quick.left(),
        Vec::<String>::new(),
        "what was left of the killed one is gone"
    );
}

/// A helm that hangs, with children in its process group and out of it, which start others.
fn with_children() -> Sent {
    Sent::new().helm(
        "log=$(cd ../../../.. && pwd)/log\n\
         sh -c 'echo \"+ $$\" >> \"$0\"; sleep 1000 & echo \"+ $!\" >> \"$0\"; wait' \"$log\" &\n\
         setsid sh -c 'echo \"+ $$\" >> \"$0\"; sleep 1000 & echo \"+ $!\" >> \"$0\"; wait' \"$log\" &\n\
         (setsid sh -c 'echo \"+ $$\" >> \"$0\"; exec sleep 1000' \"$log\" &)\n\
         echo \"+ $$\" >> \"$log\"\nwait",
    )
}

#[test]
fn a_plugin_that_is_told_to_stop_leaves_no_process_however_it_is_told() {
    for (name, number) in [("TERM", 15), ("INT", 2), ("KILL", 9)] {
        for group in ["", "-"] {
            let sent = with_children();
            let mut child = spawn(&sent, &[("HOMELAB_MAX_HELM", "1")]);
            wait_for("a helm with its children", || begun(&sent).len() == 6);
            signal(name, &format!("{group}{}", child.id()));
            assert_eq!(child.wait().unwrap().signal(), Some(number));
            for process in begun(&sent) {
                wait_for(&format!("the end of all after {name} {group}"), || !is_alive(&process));
            }
            let quick = sent.helm(&format!("cat <<'END'\n{CONFIG}END"));
            let output = quick.generate(&[("HOMELAB_MAX_HELM", "1")]);
            assert_eq!(text(&output.stdout), CONFIG, "{}", text(&output.stderr));
            assert_eq!(quick.left(), Vec::<String>::new());
        }
    }
}

#[test]
fn what_helm_leaves_running_ends_with_it() {
    for (script, timeout) in [("exit", "20"), ("wait", "1")] {
        let sent = Sent::new().helm(&format!(
            "log=$(cd ../../../.. && pwd)/log\n\
             setsid sh -c 'echo \"+ $$\" >> \"$0\"; exec sleep 1000' \"$log\" >/dev/null 2>&1 &\n\
             cat <<'END'\n{CONFIG}END\nuntil test -s \"$log\"; do sleep 0.01; done\n{script}"
        ));
        let output = sent.generate(&[("HOMELAB_HELM_TIMEOUT", timeout)]);
        assert_eq!(output.status.success(), script == "exit", "{}", text(&output.stderr));
        assert_eq!(begun(&sent).len(), 1);
        wait_for("the end of what helm started", || !is_alive(&begun(&sent)[0]));
    }
}

#[test]
fn a_plugin_that_is_killed_while_it_waits_blocks_no_other() {
    let sent = slow("0.5");
    let holder = spawn(&sent, &[("HOMELAB_MAX_HELM", "1")]);
    wait_for("a helm", || !begun(&sent).is_empty());
    let waiting: Vec<_> = (0..4).map(|_| spawn(&sent, &[("HOMELAB_MAX_HELM", "1")])).collect();
    std::thread::sleep(Duration::from_millis(100));
    for child in waiting.iter().take(3) {
        signal("KILL", &child.id().to_string());
    }
    let outputs: Vec<_> = waiting
        .into_iter()
        .chain([holder])
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    let printed = outputs.iter().filter(|output| text(&output.stdout) == CONFIG).count();
    assert_eq!(printed, 2, "those that were not killed print");
}
