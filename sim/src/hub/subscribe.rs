//! Who gets which stream.

use crate::hub::{Hub, Style, Subscriber};

impl Hub {
    /// Whether there is such a stream.
    pub(crate) fn has_stream(&self, name: &str) -> bool {
        self.stream_indices.contains_key(name)
    }

    /// Sends a stream to a connection from now on; false if there is none of that name.
    pub(crate) fn subscribe(&mut self, place: usize, name: &str, style: Style) -> bool {
        let Some(&index) = self.stream_indices.get(name) else { return false };
        let stream = &mut self.streams[index];
        if stream.subscribers.iter().any(|subscriber| subscriber.link == place) {
            return true;
        }
        stream.subscribers.push(Subscriber { link: place, style });
        self.market_subscribers[stream.market] += 1;
        if let Some(link) = self.link_mut(place) {
            link.streams.push(index);
        }
        true
    }

    /// Whether a connection gets a stream.
    pub(crate) fn is_subscribed(&self, place: usize, name: &str) -> bool {
        let subscribed =
            |index: &usize| self.streams[*index].subscribers.iter().any(|subscriber| subscriber.link == place);
        self.stream_indices.get(name).is_some_and(subscribed)
    }

    /// Sends a stream no more; false if the connection did not get it.
    pub(crate) fn unsubscribe(&mut self, place: usize, name: &str) -> bool {
        let Some(&index) = self.stream_indices.get(name) else { return false };
        if let Some(link) = self.link_mut(place) {
            link.streams.retain(|stream| *stream != index);
        }
        self.remove_subscriber(index, place)
    }

    /// Ends all subscriptions of a connection.
    pub(crate) fn unsubscribe_all(&mut self, place: usize) {
        let streams = self.link_mut(place).map(|link| std::mem::take(&mut link.streams)).unwrap_or_default();
        for index in streams {
            self.remove_subscriber(index, place);
        }
    }

    fn remove_subscriber(&mut self, index: usize, place: usize) -> bool {
        let stream = &mut self.streams[index];
        let before = stream.subscribers.len();
        stream.subscribers.retain(|subscriber| subscriber.link != place);
        let removed = before - stream.subscribers.len();
        self.market_subscribers[stream.market] -= removed;
        removed > 0
    }

    /// Changes how a connection gets its streams.
    pub(crate) fn set_style(&mut self, place: usize, style: Style) {
        let streams = self.link(place).map(|link| link.streams.clone()).unwrap_or_default();
        for index in streams {
            for subscriber in self.streams[index].subscribers.iter_mut().filter(|subscriber| subscriber.link == place) {
                subscriber.style = style;
            }
        }
    }

    /// How many markets have a stream that somebody gets.
    pub(crate) fn subscribed_markets(&self) -> usize {
        self.market_subscribers.iter().filter(|count| **count > 0).count()
    }
}
