; The installer for Windows, compiled by installer.py with Inno Setup 6.3 or later (ISCC), which gives:
;   Version        of the program, as "0.1.0"
;   Numbers        the same as four numbers, which is how Windows counts
;   Folder         the frozen folder
;   Out            where the installer goes
;   Generated      the folder of what installer.py wrote: associations.iss, semblance.ico
;   Slices         defined where the folder is too large for one file
;   Signed         defined where ISCC was given a tool called "sign"
; It needs no administrator: it installs for the one user, unless run with /ALLUSERS. Without a word on the screen:
;   semblance-...-setup.exe /VERYSILENT /SUPPRESSMSGBOXES /NORESTART
; The user's libraries lie elsewhere (%LOCALAPPDATA%\semblance), and neither an upgrade nor an uninstall touches them.

#define Window "semblance-window.exe"
#define Terminal "semblance.exe"

[Setup]
; The identity of the program for upgrade and uninstall: never change it.
AppId={{6C6E0B61-6E0B-4C55-9C57-0A8A8E2C7B1D}
AppName=Semblance
AppVersion={#Version}
AppVerName=Semblance {#Version}
AppPublisher=The authors of Semblance
VersionInfoVersion={#Numbers}
DefaultDirName={autopf}\Semblance
UsePreviousAppDir=yes
DisableProgramGroupPage=yes
DisableWelcomePage=no
LicenseFile={#Folder}\LICENSE
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=commandline dialog
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
; Qt 6.11 runs on Windows 10 from 1809 on; and so does the UTF-8 that the executables ask for, from 1903 on.
MinVersion=10.0.18362
Compression=lzma2/max
SolidCompression=yes
LZMAUseSeparateProcess=yes
LZMANumBlockThreads=4
OutputDir={#Out}
OutputBaseFilename=semblance-{#Version}-windows-x86_64-setup
SetupIconFile={#Generated}\semblance.ico
UninstallDisplayIcon={app}\{#Window}
UninstallDisplayName=Semblance
WizardStyle=modern
ChangesAssociations=yes
; A program that is running is asked to close; what it was doing is taken up again at its next start.
CloseApplications=yes
CloseApplicationsFilter=*.exe,*.dll,*.pyd
RestartApplications=no
SetupLogging=yes
#ifdef Slices
; One file may have 4.2 GB, and a release's 2 GiB: setup.exe and setup-1.bin, setup-2.bin ... belong together.
DiskSpanning=yes
DiskSliceSize=2000000000
#endif
#ifdef Signed
SignTool=sign
SignedUninstaller=yes
#endif

[Languages]
Name: "en"; MessagesFile: "compiler:Default.isl"

[Tasks]
Name: "desktopicon"; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked
Name: "openwith"; Description: "Offer Semblance where files are opened, and to search by a picture or a sound"

[InstallDelete]
; Of the version before, nothing stays that the new one would find. What is not in here is the user's.
Type: filesandordirs; Name: "{app}\_internal"
Type: filesandordirs; Name: "{app}\licences"

[Files]
Source: "{#Folder}\*"; DestDir: "{app}"; Flags: ignoreversion recursesubdirs createallsubdirs

[Icons]
Name: "{autoprograms}\Semblance"; Filename: "{app}\{#Window}"; Comment: "Find what is alike in your own photos, videos and sounds"
Name: "{autodesktop}\Semblance"; Filename: "{app}\{#Window}"; Tasks: desktopicon

[Registry]
; So that "semblance" and "semblance-window" can be typed into the Run dialog.
Root: HKA; Subkey: "Software\Microsoft\Windows\CurrentVersion\App Paths\{#Window}"; ValueType: string; ValueData: "{app}\{#Window}"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Microsoft\Windows\CurrentVersion\App Paths\{#Terminal}"; ValueType: string; ValueData: "{app}\{#Terminal}"; Flags: uninsdeletekey
; "Open with": offered for every kind of file that the program reads, and the default for none.
Root: HKA; Subkey: "Software\Classes\Semblance.Media"; ValueType: string; ValueData: "Picture, video or sound"; Flags: uninsdeletekey; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\Semblance.Media\DefaultIcon"; ValueType: string; ValueData: "{app}\{#Window},0"; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\Semblance.Media\shell\open"; ValueType: string; ValueName: "FriendlyAppName"; ValueData: "Semblance"; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\Semblance.Media\shell\open\command"; ValueType: string; ValueData: """{app}\{#Window}"" ""%1"""; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\Applications\{#Window}"; ValueType: string; ValueName: "FriendlyAppName"; ValueData: "Semblance"; Flags: uninsdeletekey; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\Applications\{#Window}\shell\open\command"; ValueType: string; ValueData: """{app}\{#Window}"" ""%1"""; Tasks: openwith
; In the menu of a file itself.
Root: HKA; Subkey: "Software\Classes\SystemFileAssociations\image\shell\Semblance"; ValueType: string; ValueData: "Search by this picture"; Flags: uninsdeletekey; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\SystemFileAssociations\image\shell\Semblance"; ValueType: string; ValueName: "Icon"; ValueData: "{app}\{#Window},0"; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\SystemFileAssociations\image\shell\Semblance\command"; ValueType: string; ValueData: """{app}\{#Window}"" ""%1"""; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\SystemFileAssociations\audio\shell\Semblance"; ValueType: string; ValueData: "Search by this sound"; Flags: uninsdeletekey; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\SystemFileAssociations\audio\shell\Semblance"; ValueType: string; ValueName: "Icon"; ValueData: "{app}\{#Window},0"; Tasks: openwith
Root: HKA; Subkey: "Software\Classes\SystemFileAssociations\audio\shell\Semblance\command"; ValueType: string; ValueData: """{app}\{#Window}"" ""%1"""; Tasks: openwith
; For each ending of a file, written from the program's own list.
#include Generated + "\associations.iss"

[Run]
Filename: "{app}\{#Window}"; Description: "{cm:LaunchProgram,Semblance}"; Flags: nowait postinstall skipifsilent
