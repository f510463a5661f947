//! The two macros that write entities: [`choice!`](crate::choice!) for fixed sets of words and
//! [`entity!`](crate::entity!) for a struct with its table.

/// Declares an enum whose values have fixed names in storage and in every front end.
///
/// ```
/// crm_core::choice! {
///     /// The size of a thing.
///     pub enum Size {
///         /// Small.
///         Small = "small",
///         /// Large.
///         Large = "large",
///     }
/// }
/// assert_eq!("large".parse::<Size>().unwrap(), Size::Large);
/// assert!("huge".parse::<Size>().is_err());
/// ```
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The names of all values, in order.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// Its name in storage and in every front end.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::value::ValueError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.trim() {
                    $($text => Ok(Self::$variant),)+
                    other => Err($crate::value::ValueError::unknown_value(other, Self::NAMES)),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl $crate::entity::Field for $name {
            const KIND: $crate::entity::Kind = $crate::entity::Kind::Enum(Self::NAMES);
            fn store(&self) -> $crate::row::Value {
                $crate::row::Value::Text(self.as_str().to_owned())
            }
            fn load(value: $crate::row::Value) -> Result<Self, $crate::value::ValueError> {
                <String as $crate::entity::Field>::load(value)?.parse()
            }
            fn parse(text: &str, _: &$crate::entity::Locale) -> Result<Self, $crate::value::ValueError> {
                text.parse()
            }
        }
    };
}

/// Declares an entity: the struct, its table and its typed columns.
///
/// ```
/// use crm_core::value::Email;
/// crm_core::entity! {
///     /// A subscriber of a newsletter.
///     pub struct Subscriber: "subscriber" in "crm_subscriber" as Record, Organization {
///         /// Where the newsletter goes.
///         pub email: Email [PERSONAL SEARCHABLE],
///     }
///     columns SubscriberColumns;
///     derived {
///         /// The address as it is compared.
///         email_key: String = |s: &Subscriber| s.email.key().to_owned(),
///     }
///     unique { "crm_subscriber_email_key": [email_key] }
///     index { }
/// }
/// use crm_core::entity::Entity;
/// assert_eq!(Subscriber::TABLE.columns[1].name, "email");
/// ```
#[macro_export]
macro_rules! entity {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: $entity:literal in $table:literal as $shape:ident, $tenancy:ident $(, $audit:ident)? {
            $(
                $(#[doc = $doc:literal])*
                pub $field:ident: $type:ty $([$($flag:ident)*])? $(=> $target:ty)?
            ),* $(,)?
        }
        columns $columns:ident;
        derived { $($(#[doc = $ddoc:literal])* $dfield:ident: $dtype:ty = $derive:expr),* $(,)? }
        unique { $($uname:literal: [$($ucol:ident),+]),* $(,)? }
        index { $($iname:literal: [$($icol:ident),+]),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        #[doc = concat!("The typed columns of [`", stringify!($name), "`].")]
        #[derive(Clone, Copy)]
        pub struct $columns {
            /// Names the record.
            pub id: $crate::entity::Col<$name, $crate::Id<$name>>,
            $($(#[doc = $doc])* pub $field: $crate::entity::Col<$name, $type>,)*
            $($(#[doc = $ddoc])* pub $dfield: $crate::entity::Col<$name, $dtype>,)*
            /// When the record was created.
            pub created_at: $crate::entity::Col<$name, $crate::value::Instant>,
            /// When the record was last changed.
            pub updated_at: $crate::entity::Col<$name, $crate::value::Instant>,
            /// When the record was archived.
            pub archived_at: $crate::entity::Col<$name, Option<$crate::value::Instant>>,
        }

        impl $name {
            /// The typed columns, for filters and orders.
            pub const COLUMNS: $columns = {
                let at = 0usize;
                $(let at = at + 1; let $field = $crate::entity::Col::at(at);)*
                $(let at = at + 1; let $dfield = $crate::entity::Col::at(at);)*
                $columns {
                    id: $crate::entity::Col::at(0),
                    $($field,)*
                    $($dfield,)*
                    created_at: $crate::entity::Col::at(at + 2),
                    updated_at: $crate::entity::Col::at(at + 4),
                    archived_at: $crate::entity::Col::at(at + 5),
                }
            };
        }

        impl $crate::entity::Entity for $name {
            const TABLE: &'static $crate::entity::Table = {
                static COLUMNS: &[$crate::entity::Column] = $crate::entity!(@columns $shape [
                    $crate::entity::Column {
                        name: "id", kind: $crate::entity::Kind::Id, nullable: false, references: None,
                        flags: $crate::entity::Flags::SERVER_OWNED, doc: "Names the record.",
                    },
                    $($crate::entity::Column {
                        name: stringify!($field),
                        kind: <$type as $crate::entity::Field>::KIND,
                        nullable: <$type as $crate::entity::Field>::NULLABLE,
                        references: $crate::entity!(@target $($target)?),
                        flags: $crate::entity::Flags::NONE $($(.with($crate::entity::Flags::$flag))*)?,
                        doc: concat!($($doc),*).trim_ascii(),
                    },)*
                    $($crate::entity::Column {
                        name: stringify!($dfield),
                        kind: <$dtype as $crate::entity::Field>::KIND,
                        nullable: <$dtype as $crate::entity::Field>::NULLABLE,
                        references: None,
                        flags: $crate::entity::Flags::DERIVED.with($crate::entity::Flags::SERVER_OWNED),
                        doc: concat!($($ddoc),*).trim_ascii(),
                    },)*
                ]);
                static TABLE: $crate::entity::Table = $crate::entity::Table {
                    name: $table,
                    entity: $entity,
                    tenancy: $crate::entity::Tenancy::$tenancy,
                    shape: $crate::entity::Shape::$shape,
                    columns: COLUMNS,
                    uniques: &[$($crate::entity::Index { name: $uname, columns: &[$(stringify!($ucol)),+] },)*],
                    indexes: &[$($crate::entity::Index { name: $iname, columns: &[$(stringify!($icol)),+] },)*],
                    audited: $crate::entity!(@audited $($audit)?),
                    rederive: $crate::entity::rederive::<$name>,
                };
                &TABLE
            };

            fn write(&self, row: &mut $crate::row::Row) {
                $(row.push($crate::entity::Field::store(&self.$field));)*
                $(row.push({
                    let derive: fn(&Self) -> $dtype = $derive;
                    $crate::entity::Field::store(&derive(self))
                });)*
            }

            fn read(
                values: &mut dyn Iterator<Item = $crate::row::Value>,
            ) -> Result<Self, $crate::entity::FieldError> {
                let entity = Self { $($field: $crate::entity::take(values, stringify!($field))?,)* };
                $(let _: Option<$crate::row::Value> = { let _ = stringify!($dfield); values.next() };)*
                Ok(entity)
            }

            fn parse(
                column: usize,
                text: &str,
                locale: &$crate::entity::Locale,
            ) -> Result<$crate::row::Value, $crate::value::ValueError> {
                $(if column == Self::COLUMNS.$field.index() {
                    return <$type as $crate::entity::Field>::parse(text, locale)
                        .map(|value| $crate::entity::Field::store(&value));
                })*
                let _ = (text, locale);
                Err($crate::value::ValueError::ReadOnly)
            }
        }
    };
    (@target) => { None };
    (@target $target:ty) => { Some(|| <$target as $crate::entity::Entity>::TABLE) };
    (@audited) => { true };
    (@audited unaudited) => { false };
    (@columns Entry [$($column:expr,)*]) => { &[$($column,)*] };
    (@columns Record [$($column:expr,)*]) => { &[
        $($column,)*
        $crate::entity::common::VERSION, $crate::entity::common::CREATED_AT,
        $crate::entity::common::CREATED_BY, $crate::entity::common::UPDATED_AT,
    ] };
    (@columns Archivable [$($column:expr,)*]) => { &[
        $($column,)*
        $crate::entity::common::VERSION, $crate::entity::common::CREATED_AT,
        $crate::entity::common::CREATED_BY, $crate::entity::common::UPDATED_AT,
        $crate::entity::common::ARCHIVED_AT,
    ] };
}
