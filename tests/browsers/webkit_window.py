#!/usr/bin/python3
"""A window of WebKitGTK for WebKitWebDriver, with its profile in $WEBKIT_PROFILE.

The driver's own choice, MiniBrowser, opens a private window when it is automated. Such a window has
no HTTP cache, and some of these tests are about the cache.
"""

import os

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2


def open_window(_session):
    settings = WebKit2.Settings(
        # The driver has no command for the console, so the tests read it from standard output.
        enable_write_console_messages_to_stdout=True,
        hardware_acceleration_policy=WebKit2.HardwareAccelerationPolicy.NEVER,
    )
    view = WebKit2.WebView(
        web_context=context, is_controlled_by_automation=True, settings=settings
    )
    window = Gtk.Window(default_width=1000, default_height=700)
    window.add(view)
    window.show_all()
    view.connect("close", lambda _: window.destroy())
    return view


def start(_context, session):
    # The driver reports this as the browser's name and version.
    about = WebKit2.ApplicationInfo()
    about.set_name("WebKitGTK")
    about.set_version(
        WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version()
    )
    session.set_application_info(about)
    session.connect("create-web-view", open_window)


profile = os.environ["WEBKIT_PROFILE"]
context = WebKit2.WebContext.new_with_website_data_manager(
    WebKit2.WebsiteDataManager(
        base_data_directory=os.path.join(profile, "data"),
        base_cache_directory=os.path.join(profile, "cache"),
    )
)
context.set_cache_model(WebKit2.CacheModel.WEB_BROWSER)
context.set_automation_allowed(True)
context.connect("automation-started", start)
Gtk.main()
